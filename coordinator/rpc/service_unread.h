// Calls that reach no method: their message does not parse, or every thread is busy. gRPC answers
// them itself (INTERNAL, RESOURCE_EXHAUSTED); this puts them into the log, once a minute for each
// address. A message larger than gRPC takes is told to its caller alone: gRPC drops it unseen.
#pragma once

namespace connect_ha {

// For the whole process: before the first server starts. Again: does nothing.
void LogUnreadMessages();

// Every synchronous method says so first (Callers does it for those that ask it); one that does not
// is taken for one that was never called.
void MessageWasRead();

}  // namespace connect_ha
