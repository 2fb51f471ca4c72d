// One connection to PostgreSQL, opened step by step so that the step that fails is known.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "agent/probes/database/database_url.h"
#include "agent/probes/database/verified_chain.h"
#include "common/time.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct DatabaseTarget {
  DatabaseUrl url;
  // For sslmode verify-ca and verify-full, where the URL has no sslrootcert.
  std::string ca_file;
  // Of the connections before this one with the same CA file; null: nothing is kept.
  std::shared_ptr<VerifiedChain> chain;
  // What content is pinned to is read, too.
  bool pinned = false;
  std::chrono::milliseconds resolve_within{3'000};
  std::chrono::milliseconds connect_within{5'000};  // from the first packet to the last of login
};

// What the server's certificate is verified with; "": it is not verified.
std::string CaFile(const DatabaseTarget& target);

// Connects, asks the server what it is, and disconnects. Fills in everything of DatabaseFacts,
// up to the stage that failed; a password is in none of it. `now` is the node's clock.
// `refused` is called with the field and the reason when the server refuses to tell one.
// Takes at most about resolve_within + four times connect_within + 30 s. Never throws.
void ReadDatabaseServer(
    const DatabaseTarget& target, const std::function<Time()>& now,
    const std::function<void(const char* field, const std::string& why)>& refused,
    v1::DatabaseFacts& facts);

}  // namespace connect_ha
