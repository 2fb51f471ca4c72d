// How far a node is with getting ready, and what went wrong with it.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/resources/converge/ahead_pass.h"
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
      const bool lacks = pass.order.may_fetch && brought_.count(name) == 0;
      is_left = is_left || lacks || pass.WouldAdd(look);
    }
  }
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
