#include "agent/probes/storage/storage_answers.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/host/errors.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/storage/storage.h"

namespace connect_ha {
namespace {

using std::chrono::steady_clock;

// `silent`: since when a mount has not answered, from look to look.
void Ask(Host& host, const std::string& mount_point, std::map<std::string, Time>& silent,
         v1::Facts& facts) {
  const Time now = host.Now();
  const auto began = steady_clock::now();
  const std::string name = UnknownName(mount_point, now);
  const absl::Status status = host.LookAlone(name).status();
  const auto took = steady_clock::now() - began;
  const bool in_vain = absl::IsDeadlineExceeded(status);
  const bool stale = IsStale(status);
  if (!status.ok() && !in_vain && !stale && !absl::IsNotFound(status) &&
      !absl::IsPermissionDenied(status)) {
    // Without the name, which is another one on each look.
    return MarkUnobserved(facts, "storage.answers",
                          absl::StrReplaceAll(status.message(), {{name, mount_point}}));
  }
  v1::MountAnswer& answer = *facts.mutable_storage()->add_answers();
  answer.set_mount_point(mount_point);
  answer.set_answered(!in_vain);
  if (stale) answer.set_error("stale file handle");
  if (in_vain) {
    *answer.mutable_silent_since() = ToProto(silent.emplace(mount_point, now).first->second);
    return;
  }
  silent.erase(mount_point);
  answer.set_latency_us(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

}  // namespace

std::string UnknownName(const std::string& mount_point, Time now) {
  return absl::StrCat(mount_point == "/" ? "" : mount_point, "/.connect-ha-",
                      now.time_since_epoch().count());
}

absl::Status ReadStorageAnswers(const ProbeInput& input, v1::Facts& facts) {
  if (!input.config && !input.config_status.ok()) return input.config_status;
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(input.host);
  if (!mounts.ok()) return mounts.status();
  const absl::StatusOr<std::set<std::string>> points = DataMountPoints(input, *mounts);
  if (!points.ok()) return points.status();
  std::map<std::string, Time> silent =
      input.cache.silent_mounts.Get().value_or(std::map<std::string, Time>());
  for (auto it = silent.begin(); it != silent.end();) {
    it = points->count(it->first) > 0 ? std::next(it) : silent.erase(it);
  }
  for (const std::string& point : *points) Ask(input.host, point, silent, facts);
  input.cache.silent_mounts.Put(std::move(silent));
  return absl::OkStatus();
}

bool StorageIsSilent(const v1::Facts& facts) {
  const auto& answers = facts.storage().answers();
  return std::any_of(answers.begin(), answers.end(),
                     [](const v1::MountAnswer& answer) { return !answer.answered(); });
}

}  // namespace connect_ha
