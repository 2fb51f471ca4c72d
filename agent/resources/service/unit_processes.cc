#include "agent/resources/service/unit_processes.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr char kSlice[] = "/sys/fs/cgroup/system.slice/";
constexpr size_t kEffectiveUid = 1;  // of the four numbers after Uid:

// proc(5), /proc/PID/status. False: it is none, as where the process has ended.
bool ParseStatus(const std::string& text, UnitProcess& process) {
  bool has_parent = false;
  bool has_uid = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() < 2) continue;
    if (words[0] == "PPid:") has_parent = absl::SimpleAtoi(words[1], &process.parent);
    if (words[0] == "Uid:" && words.size() > 1 + kEffectiveUid) {
      has_uid = absl::SimpleAtoi(words[1 + kEffectiveUid], &process.uid);
    }
  }
  return has_parent && has_uid;
}

}  // namespace

absl::StatusOr<std::vector<UnitProcess>> ReadUnitProcesses(Host& host, const std::string& unit) {
  const absl::StatusOr<std::string> ids =
      host.ReadFile(absl::StrCat(kSlice, unit, "/cgroup.procs"));
  if (!ids.ok()) return ids.status();
  std::vector<UnitProcess> processes;
  for (const absl::string_view line : absl::StrSplit(*ids, '\n', absl::SkipEmpty())) {
    UnitProcess process;
    if (!absl::SimpleAtoi(line, &process.id)) continue;
    const auto status = host.ReadFile(absl::StrCat("/proc/", process.id, "/status"));
    // It has ended meanwhile.
    if (!status.ok() || !ParseStatus(*status, process)) continue;
    processes.push_back(process);
  }
  std::sort(processes.begin(), processes.end(),
            [](const UnitProcess& a, const UnitProcess& b) { return a.id < b.id; });
  return processes;
}

uint32_t CountJobs(const std::vector<UnitProcess>& processes) {
  std::map<uint32_t, uint32_t> uids;
  for (const UnitProcess& process : processes) uids[process.id] = process.uid;
  return static_cast<uint32_t>(
      std::count_if(processes.begin(), processes.end(), [&uids](const UnitProcess& process) {
        const auto parent = uids.find(process.parent);
        return process.uid != 0 && (parent == uids.end() || parent->second == 0);
      }));
}

}  // namespace connect_ha
