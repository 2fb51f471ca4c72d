#include "agent/probes/connect/guard.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

template <typename Message>
absl::StatusOr<Message> ReadMessage(Host& host, const std::string& path) {
  const absl::StatusOr<std::string> bytes = host.ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  Message message;
  if (!bytes->empty() && message.ParseFromString(*bytes)) return message;
  return absl::DataLossError(absl::StrCat(path, " is damaged"));
}

}  // namespace

absl::StatusOr<v1::PreflightResult> ReadPreflightResult(Host& host) {
  return ReadMessage<v1::PreflightResult>(host, kPreflightFile);
}

absl::StatusOr<v1::PreflightOverride> ReadPreflightOverride(Host& host) {
  return ReadMessage<v1::PreflightOverride>(host, kOverrideFile);
}

absl::StatusOr<v1::PreflightResult> ReadOverridden(Host& host, const std::string& state_dir) {
  return ReadMessage<v1::PreflightResult>(host, absl::StrCat(state_dir, "/", kOverriddenName));
}

absl::Status ReadGuard(const ProbeInput& input, v1::Facts& facts) {
  v1::GuardFacts& guard = *facts.mutable_guard();
  Observe(facts, "guard.last", ReadPreflightResult(input.host),
          [&](const v1::PreflightResult& last) { *guard.mutable_last() = last; });
  Observe(facts, "guard.override", ReadPreflightOverride(input.host),
          [&](const v1::PreflightOverride& given) { *guard.mutable_override() = given; });
  Observe(facts, "guard.overridden", ReadOverridden(input.host, input.state_dir),
          [&](const v1::PreflightResult& result) { *guard.mutable_overridden() = result; });
  if (const std::optional<KeptMark> mark = input.cache.mark.Get()) {
    Observe(facts, "guard.mark", *mark,
            [&](const v1::ClusterMark& seen) { *guard.mutable_mark() = seen; });
  }
  const std::string fault = input.cache.mark_fault.Get().value_or("");
  if (!fault.empty()) guard.set_mark_fault(fault);
  return absl::OkStatus();
}

}  // namespace connect_ha
