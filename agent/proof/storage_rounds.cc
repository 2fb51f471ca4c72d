#include "agent/proof/storage_rounds.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "common/checklist/view/located.h"
#include "connect_ha/v1/storage_work.pb.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPace{60};
constexpr seconds kPaceWhileHung{10};
constexpr seconds kSlow{5};

bool IsHung(const v1::StorageRound& round) { return round.pace() == v1::StorageRound::HUNG; }

microseconds TimeTaken(const v1::StorageRound& round) {
  microseconds taken{0};
  for (const v1::StorageStep& step : round.steps()) taken += microseconds(step.duration_us());
  return taken;
}

// The first of the directories on each mount that Connect writes to on behalf of all nodes, by
// mount point; other directories are left alone.
std::map<std::string, NetworkDirectory> FirstOnEach(std::vector<NetworkDirectory> directories) {
  std::map<std::string, NetworkDirectory> first;
  for (NetworkDirectory& directory : directories) {
    if (!IsSharedKey(directory.key)) continue;
    const std::string point = directory.mount.mount_point;
    first.emplace(point, std::move(directory));
  }
  return first;
}

}  // namespace

milliseconds StorageRounds::Pace() const {
  const bool hung = std::any_of(rounds_.begin(), rounds_.end(),
                                [](const auto& one) { return IsHung(one.second); });
  return hung ? kPaceWhileHung : kPace;
}

bool StorageRounds::Run(const ProofOrder& order) {
  if (!order.storage || order.config == nullptr) {
    rounds_.clear();
    return Keep("");
  }
  const absl::Status status = Look(order);
  return Keep(std::string(status.message()));
}

void StorageRounds::Stop() {
  rounds_.clear();
  Keep("");
}

// What could not be done on one mount keeps no other from its round.
absl::Status StorageRounds::Look(const ProofOrder& order) {
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(context_.host);
  if (!mounts.ok()) return mounts.status();
  absl::StatusOr<std::vector<NetworkDirectory>> directories =
      NetworkDirectories(context_.host, *order.config, *mounts);
  if (!directories.ok()) return directories.status();
  const std::map<std::string, NetworkDirectory> on_each = FirstOnEach(*std::move(directories));
  for (auto it = rounds_.begin(); it != rounds_.end();) {
    it = on_each.count(it->first) > 0 ? std::next(it) : rounds_.erase(it);
  }
  absl::Status trouble;
  for (const auto& one : on_each) {
    absl::Status status = Work(order.node, one.second);
    if (!status.ok()) rounds_.erase(one.first);
    if (trouble.ok()) trouble = std::move(status);
  }
  return trouble;
}

absl::Status StorageRounds::Work(const std::string& node, const NetworkDirectory& directory) {
  const std::string& point = directory.mount.mount_point;
  v1::StorageRoundRequest request;
  request.set_node(node);
  request.set_device(directory.mount.device);
  const Time asked = context_.host.Now();
  const absl::StatusOr<std::string> answer =
      context_.host.WorkOnStorage(kRoundOperation, directory.resolved, request.SerializeAsString());
  if (absl::IsDeadlineExceeded(answer.status())) {
    v1::StorageRound& round = rounds_[point];
    if (!IsHung(round)) *round.mutable_hung_since() = ToProto(asked);
    round.set_mount_point(point);
    if (round.directory().empty()) round.set_directory(directory.resolved);
    round.set_pace(v1::StorageRound::HUNG);
    return absl::OkStatus();
  }
  if (!answer.ok()) return answer.status();
  v1::StorageRound round;
  if (!round.ParseFromString(*answer)) {
    return absl::InternalError(absl::StrCat("a malformed answer of the work on ", point));
  }
  round.set_mount_point(point);
  round.set_pace(TimeTaken(round) >= kSlow ? v1::StorageRound::SLOW : v1::StorageRound::PROMPT);
  rounds_[point] = std::move(round);
  return absl::OkStatus();
}

bool StorageRounds::Keep(const std::string& error) {
  KeptStorageRounds keep;
  keep.error = error;
  std::string steady = error;
  for (const auto& one : rounds_) {
    keep.rounds.push_back(one.second);
    v1::StorageRound round = one.second;
    for (v1::StorageStep& step : *round.mutable_steps()) step.clear_duration_us();
    absl::StrAppend(&steady, "\n", round.SerializeAsString());
  }
  context_.cache.storage_rounds.Put(std::move(keep));
  return std::exchange(kept_, steady) != steady;
}

}  // namespace connect_ha
