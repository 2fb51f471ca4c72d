// The generations of the specification: what is the newest, and how another one becomes that. Which
// one is in force the plan decides (PlanMemory.generation).
// All calls may be made from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Specs {
 public:
  // Borrows both. The roster is told of each specification that becomes the newest.
  Specs(std::string cluster, Store& store, Roster& roster);

  // Takes the newest generation from the store. Where there is none, the file at `path` becomes the
  // first; it must be there and be right (InvalidArgument has a line for each problem). Tells the
  // roster which one is in force, too, as the store remembers it.
  absl::Status Load(const std::string& path, Time now);

  // The newest.
  std::shared_ptr<const v1::SpecGeneration> Current() const;

  // What the nodes would be told for this bundle or older generation; its generation is 0.
  // InvalidArgument: it will not do. NotFound: no such generation.
  absl::StatusOr<v1::Desired> Draft(const v1::PreviewSpecRequest& request);

  // Makes it the newest and returns its generation. As above, and Aborted: another one was applied
  // since request.newest_generation. `entry` says who does it, from where, when and why; the rest
  // is filled in.
  absl::StatusOr<uint64_t> Apply(const v1::ApplySpecRequest& request, v1::AuditEntry entry,
                                 Time now);

  // OK when the file at `path` says what the newest says; else what to type to apply it.
  absl::Status Compare(const std::string& path) const;

 private:
  absl::Status Check(const v1::SpecBundle& bundle, const std::string& file) const;
  void TellInvalid(const v1::SpecGeneration& spec) const;
  absl::StatusOr<v1::SpecBundle> CheckedGeneration(uint64_t generation);
  absl::StatusOr<uint64_t> Number(const v1::SpecBundle& bundle, uint64_t newest) const;
  absl::StatusOr<uint64_t> Store(v1::SpecGeneration spec, uint64_t newest, v1::AuditEntry entry);
  absl::Status LoadNewest(const std::string& path, Time now);
  void Become(v1::SpecGeneration spec);

  const std::string cluster_;
  connect_ha::Store& store_;
  Roster& roster_;
  mutable std::mutex mutex_;
  std::shared_ptr<const v1::SpecGeneration> current_;
};

// What the nodes are told of it, but for its generation, time and lineage.
v1::Desired MakeDesired(const v1::SpecBundle& bundle);

// Tells the roster that this generation is in force, where it does not know that yet. 0: the newest
// is, whichever that becomes.
absl::Status TellInForce(uint64_t generation, Store& store, Roster& roster);

}  // namespace connect_ha
