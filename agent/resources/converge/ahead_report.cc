// How far a node is with getting ready, and what went wrong with it.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/converge/ahead_pass.h"
#include "agent/resources/install/download.h"
#include "common/log.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

// What these look at is there only once what they come after is: that is not in their way.
constexpr const char* kLookedAtLater[] = {"mount", "directory", "mark"};
// What is removed.
constexpr char kVersions[] = "versions";

bool LooksLater(const LookedAt& look) {
  const std::string name = look.resource->Name();
  return std::any_of(std::begin(kLookedAtLater), std::end(kLookedAtLater),
                     [&name](const char* beginning) { return IsNamed(name, beginning); });
}

// Of the file system that the path is on, or will be.
uint64_t DeviceOf(Host& host, const std::string& path) {
  std::string above = path;
  while (above.size() > 1) {
    const absl::StatusOr<FileStatus> status = host.Stat(above);
    if (status.ok()) return status->device;
    above.resize(above.rfind('/'));
  }
  const absl::StatusOr<FileStatus> root = host.Stat("/");
  return root.ok() ? root->device : 0;
}

}  // namespace

void Ahead::NoteFailure(const Pass& pass, const std::string& resource, const absl::Status& status,
                        const std::string& log) {
  Failure failure;
  failure.trouble = ToTrouble(resource, status);
  failure.trouble.set_log(log);
  const auto before = failures_.find(resource);
  if (before == failures_.end() || before->second.trouble.error() != failure.trouble.error()) {
    spdlog::warn("event=not-ready resource={} generation={} error={}", LogValue(resource),
                 pass.order.desired.generation(), LogValue(failure.trouble.error()));
  }
  if (PassesByItself(status)) {
    const milliseconds wait = backoff_.Next();
    failure.retry_at = pass.watch.Now() + wait;
    *failure.trouble.mutable_retry_at() = ToProto(pass.context.host.Now() + wait);
  }
  failures_[resource] = std::move(failure);
}

const Ahead::Failure* Ahead::FindFailure(const Pass& pass, const LookedAt& look) {
  const auto found = failures_.find(look.resource->Name());
  if (found == failures_.end()) return nullptr;
  Failure& failure = found->second;
  if (!failure.change) failure.change = *look.change;
  if (!SameChange(*failure.change, *look.change)) return nullptr;
  const bool is_due = failure.retry_at && pass.watch.Now() >= *failure.retry_at;
  return is_due ? nullptr : &failure;
}

// There was room for each of them; now there has to be for all that is still to be installed.
void Ahead::CheckRoomForAll(Pass& pass) const {
  struct Wanted {
    std::string path;
    uint64_t bytes = 0;
    std::vector<std::string> names;
  };
  std::map<uint64_t, Wanted> by_device;
  for (const LookedAt& look : pass.looks) {
    const auto here = here_.find(look.resource->Name());
    if (!look.change || here == here_.end() || here->second.brought.bytes == 0) continue;
    const Brought& brought = here->second.brought;
    Wanted& wanted = by_device[DeviceOf(pass.context.host, brought.path)];
    if (wanted.path.empty()) wanted.path = brought.path;
    wanted.bytes += brought.bytes;
    wanted.names.push_back(look.resource->Name());
  }
  for (const auto& [device, wanted] : by_device) {
    const std::string names = absl::StrJoin(wanted.names, ", ");
    const bool one = wanted.names.size() == 1;
    const absl::Status room =
        CheckRoom(pass.context.host, wanted.path, wanted.bytes,
                  one ? names : absl::StrCat("what is to be installed (", names, ")"));
    if (!room.ok()) pass.Found(wanted.names.front(), room);
  }
}

// As it will be once it is in force: what is beside is no longer kept then.
void Ahead::LookBeyond(Pass& pass) const {
  pass.context.beside = nullptr;
  LookAgain(pass);
  for (const LookedAt& look : pass.looks) {
    if (IsNamed(look.resource->Name(), kVersions) && !look.status.ok()) {
      pass.Found(kVersions, look.status);
    }
  }
}

void Ahead::Report(Pass& pass) {
  bool is_left = false;
  for (const LookedAt& look : pass.looks) {
    const std::string name = look.resource->Name();
    if (IsNamed(name, kVersions)) continue;  // nothing of it is made ahead
    if (!look.status.ok()) {
      const bool is_later = LooksLater(look) && !IsReady(look, pass.looks, /*unit_first=*/false);
      if (!is_later) pass.Found(name, look.status);
    } else if (!look.change) {
      failures_.erase(name);
    } else {
      const auto here = here_.find(name);
      const bool lacks = pass.order.may_fetch && here == here_.end();
      is_left = is_left || lacks || pass.WouldAdd(look);
      if (here != here_.end() && !here->second.change) here->second.change = *look.change;
    }
  }
  CheckRoomForAll(pass);
  if (pass.order.desired.spec().runtimes().prune()) LookBeyond(pass);
  const auto retry_in = [&pass](milliseconds wait) {
    pass.retry = std::min(pass.retry.value_or(wait), wait);
  };
  for (const auto& [name, failure] : failures_) {
    *pass.report.add_troubles() = failure.trouble;
    if (!failure.retry_at) continue;
    const auto wait = std::chrono::ceil<milliseconds>(*failure.retry_at - pass.watch.Now());
    retry_in(std::max(wait, milliseconds(0)));
  }
  std::optional<milliseconds> look_again;
  for (auto& [trouble, passes] : pass.found) {
    if (passes) {
      if (!look_again) look_again = backoff_.Next();
      *trouble.mutable_retry_at() = ToProto(pass.context.host.Now() + *look_again);
      retry_in(*look_again);
    }
    *pass.report.add_troubles() = trouble;
  }
  pass.report.set_ready(!is_left && pass.report.troubles_size() == 0);
  pass.watch.Publish(pass.report);
}

}  // namespace connect_ha
