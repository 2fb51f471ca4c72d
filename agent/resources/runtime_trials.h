// Whether the runtimes that a specification names work, once they are installed: what is known of
// them from trials, or a trial where there was none yet.
#pragma once

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

// Of both: FailedPrecondition: it is not where it belongs, or does not work, with the end of what
// it said.

// What is known without a run: the latest trial of this very runtime, whoever made it. nullopt: it
// has to be tried.
std::optional<absl::Status> KnownTrial(const ResourceContext& context, const NamedRuntime& runtime);
// Runs it: takes up to three minutes, after what a probe may be trying. Unavailable,
// DeadlineExceeded: still not known.
absl::Status TryNamed(const ResourceContext& context, const NamedRuntime& runtime);

}  // namespace connect_ha
