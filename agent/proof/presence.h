// This node's presence in Connect's database: an idle connection that holds an advisory lock, which
// every other node that uses the same database sees in pg_locks, and no node of another one. No
// comparison of what servers say of themselves can show that: a copy says the same.
//
// Nothing is written, no privilege is needed, and no transaction stays open. The lock ends with the
// connection, by whichever end that is.
#pragma once

#include <chrono>
#include <memory>

#include "agent/proof/proof.h"

namespace connect_ha {

struct PresencePaces {
  // Of a session that has settled; PresenceFacts.rounds is counted in these.
  std::chrono::milliseconds steady{30'000};
  // Of a session that began less than two of these rounds ago, so that after a failover the nodes
  // see each other soon; and the first wait before another try where there is none.
  std::chrono::milliseconds quick{5'000};
  std::chrono::milliseconds ask_within{5'000};  // for each answer of the server
  // A session stays with the server that it was opened to, whatever leads there by now: so often it
  // is exchanged for a new one.
  std::chrono::milliseconds renew{300'000};
};

// Its rounds leave what they see in ProofContext.cache.presence. Pace() is the wait from the latest
// round to the next: it changes, and is to be asked after each. A round ends within a minute.
std::unique_ptr<ProofRounds> MakePresence(ProofContext context, const PresencePaces& paces = {});

}  // namespace connect_ha
