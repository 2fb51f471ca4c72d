// What a node finds of its orders when the agent starts.
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "agent/assignment/assignment_file.h"
#include "agent/assignment/held.h"
#include "agent/assignment/standing.h"
#include "common/log.h"

namespace connect_ha {

absl::Status Held::Load() {
  demands_.cluster = options_.owner.cluster;
  demands_.signers = ReadTrustedSigners(host_, options_.trusted_dir);
  if (!demands_.signers.ok()) {
    spdlog::error("event=trusted-signers-not-read error={}",
                  LogValue(std::string(demands_.signers.status().message())));
  }
  absl::Status loaded = LoadKept();
  if (kept_.desired().generation() > 0) {
    absl::StatusOr<v1::Desired> checked = CheckDesired(kept_.desired(), demands_);
    if (checked.ok()) {
      *kept_.mutable_desired() = *std::move(checked);
    } else {
      held_refusal_ = Refusal{kept_.desired().generation(), checked.status()};
    }
    spdlog::info("event=assignment-held state={} generation={} removed={}",
                 v1::NodeState_Name(kept_.state()), kept_.desired().generation(), kept_.removed());
  }
  Publish();
  TellRefusal(std::nullopt);
  return loaded;
}

absl::Status Held::LoadKept() {
  absl::StatusOr<v1::Assignment> file = LoadAssignment(host_, options_.state_dir);
  if (file.ok()) {
    const absl::StatusOr<bool> moved = SetAside(host_, options_.state_dir, *file, options_.owner);
    if (!moved.ok()) return moved.status();
    if (*moved) {
      spdlog::warn("event=state-set-aside cluster={} machine={}", LogValue(file->cluster()),
                   LogValue(file->machine_id()));
      file = absl::NotFoundError("set aside");
    }
  }
  absl::StatusOr<v1::Assignment> copy = absl::NotFoundError("none");
  if (!options_.runtime_dir.empty()) copy = LoadAssignment(host_, options_.runtime_dir);
  if (copy.ok() && BelongingOf(*copy, options_.owner) == Belonging::kOurs &&
      (!file.ok() || CopyPrevails(*copy, *file))) {
    kept_ = *std::move(copy);
    if (IsPermission(kept_)) Pause(kept_);
    on_disk_ = false;
  } else if (file.ok()) {
    kept_ = *std::move(file);
    // What forbids may stand where it cannot be read; the coordinator says again what holds.
    const bool is_known = copy.ok() || absl::IsNotFound(copy.status());
    if (!is_known && IsPermission(kept_)) Pause(kept_);
    return absl::OkStatus();
  }
  return absl::IsNotFound(file.status()) ? absl::OkStatus() : file.status();
}

absl::StatusOr<bool> SetAsideOthers(WritableHost& host, const std::string& state_dir,
                                    const Owner& owner) {
  const absl::StatusOr<v1::Assignment> assignment = LoadAssignment(host, state_dir);
  // One that is damaged permits nothing, and is replaced by the next.
  if (absl::IsNotFound(assignment.status()) || absl::IsDataLoss(assignment.status())) return false;
  if (!assignment.ok()) return assignment.status();
  return SetAside(host, state_dir, *assignment, owner);
}

}  // namespace connect_ha
