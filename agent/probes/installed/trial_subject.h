// What the result of a trial holds for: as long as it is the same, there is nothing new to try.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// The account that it runs as; the executable, the file of the interpreter and the directories of
// its libraries, each by what SameFile compares. NotFound: there is no such executable.
absl::StatusOr<std::string> TrialSubject(Host& host, v1::RuntimeKind kind,
                                         const std::string& executable, const std::string& account);

struct KeptTrial {
  std::string subject;
  v1::SmokeRun run;
};

// The latest trial of each executable, of the probes and of who installs runtimes alike.
// Thread-safe.
class KeptTrials {
 public:
  // Nothing: none of this subject.
  std::optional<v1::SmokeRun> Get(const std::string& executable, const std::string& subject) const;
  void Put(const std::string& executable, KeptTrial trial);
  // What failed is tried again by whoever asks next.
  void ForgetFailures();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, KeptTrial> by_executable_;
};

}  // namespace connect_ha
