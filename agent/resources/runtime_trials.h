// Whether the runtimes that a specification names work, once they are installed: what the probes
// found out, or a run of its own where they have not tried them yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/resources/resource.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct NamedRuntime {
  v1::RuntimeKind kind;
  std::string version;
  // "runtime R 4.3.3": as resources are named.
  std::string Name() const;
};

// Those that the specification says how to install.
std::vector<NamedRuntime> NamedRuntimes(const v1::RuntimesSpec& spec);

// Of one thread.
class RuntimeTrials {
 public:
  // Of both: FailedPrecondition: it is not where it belongs, or does not work, with the end of what
  // it said.

  // What is known without a run; nullopt: it has to be tried.
  std::optional<absl::Status> Known(const ResourceContext& context, const NamedRuntime& runtime);
  // Runs it: takes up to three minutes, after what a probe may be trying. Unavailable,
  // DeadlineExceeded: still not known.
  absl::Status Try(const ResourceContext& context, const NamedRuntime& runtime);
  // What failed is tried again: something on the node changed, or somebody asks.
  void Forget();

 private:
  struct Tried {
    FileStatus executable;
    v1::SmokeRun run;
  };
  std::map<std::string, Tried> tried_;
};

}  // namespace connect_ha
