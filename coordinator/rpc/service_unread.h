// What is known of a synchronous call beside its method: that it reached none, and when it is over.
//
// Calls that reach no method: their message does not parse, or every thread is busy. gRPC answers
// them itself (INTERNAL, RESOURCE_EXHAUSTED); this puts them into the log, once a minute for each
// address. A message larger than gRPC takes is told to its caller alone: gRPC drops it unseen.
#pragma once

#include <memory>

namespace connect_ha {

// For the whole process: before the first server starts. Again: does nothing.
void LogUnreadMessages();

// Every synchronous method says so first (Callers does it for those that ask it); one that does not
// is taken for one that was never called.
void MessageWasRead();

// Of the synchronous call that this thread is in: keeps it until the answer is sent, which takes as
// long as the caller likes.
void KeepUntilSent(std::shared_ptr<const void> kept);

}  // namespace connect_ha
