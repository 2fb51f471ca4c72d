// The items and their forms: Amazon EC2 User Guide, "Spot Instance interruption notices", "EC2
// instance rebalance recommendations", "Scheduled events for your instances"; Amazon EC2 Auto
// Scaling User Guide, "Retrieve the target lifecycle state through instance metadata". An item that
// does not apply is not there (404).
#include "agent/probes/machine/instance_notices.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <ctime>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/machine/metadata_service.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Timestamp;
using google::protobuf::util::JsonStringToMessage;

constexpr char kTerminated[] = "Terminated";
constexpr int kMostEvents = 20;

std::string Field(const Struct& object, const char* name) {
  const auto field = object.fields().find(name);
  return field == object.fields().end() ? "" : field->second.string_value();
}

// "2026-09-18T08:22:00Z"
std::optional<Timestamp> ParseUtc(const std::string& text) {
  Timestamp time;
  if (!google::protobuf::util::TimeUtil::FromString(text, &time)) return std::nullopt;
  return time;
}

// "21 Jan 2026 09:00:43 GMT"
std::optional<Timestamp> ParseGmt(const std::string& text) {
  std::tm parts{};
  const char* const end = strptime(text.c_str(), "%d %b %Y %H:%M:%S", &parts);
  if (end == nullptr || std::string(end) != " GMT") return std::nullopt;
  Timestamp time;
  time.set_seconds(timegm(&parts));
  return time;
}

void Add(v1::Facts& facts, v1::InstanceNotice::Kind kind, const std::optional<Timestamp>& at,
         const std::string& text) {
  v1::InstanceNotice& notice = *facts.mutable_instance()->add_notices();
  notice.set_kind(kind);
  if (at) *notice.mutable_at() = *at;
  notice.set_text(text);
}

absl::Status NotUnderstood(const char* item) {
  return absl::UnavailableError(
      absl::StrCat("what the instance metadata service says of ", item, " is not understood"));
}

// {"action": "terminate", "time": "2026-09-18T08:22:00Z"}
absl::Status TakeSpotAction(const std::string& text, v1::Facts& facts) {
  Struct action;
  if (!JsonStringToMessage(text, &action).ok()) return NotUnderstood("spot/instance-action");
  Add(facts, v1::InstanceNotice::SPOT_INTERRUPTION, ParseUtc(Field(action, "time")),
      Field(action, "action"));
  return absl::OkStatus();
}

// {"noticeTime": "2026-11-05T08:22:00Z"}, which is when it was said: nothing has a time yet.
absl::Status TakeRebalance(const std::string&, v1::Facts& facts) {
  Add(facts, v1::InstanceNotice::REBALANCE, std::nullopt, "rebalance recommendation");
  return absl::OkStatus();
}

// [{"Code": "system-reboot", "EventId": "instance-event-1", "NotBefore": ..., "State": "active"}]
absl::Status TakeMaintenance(const std::string& text, v1::Facts& facts) {
  ListValue events;
  if (!JsonStringToMessage(text, &events).ok()) {
    return NotUnderstood("events/maintenance/scheduled");
  }
  for (int i = 0; i < events.values_size() && i < kMostEvents; ++i) {
    const Struct& event = events.values(i).struct_value();
    if (!absl::EqualsIgnoreCase(Field(event, "State"), "active")) continue;
    Add(facts, v1::InstanceNotice::MAINTENANCE, ParseGmt(Field(event, "NotBefore")),
        absl::StrCat(Field(event, "Code"), " ", Field(event, "EventId")));
  }
  return absl::OkStatus();
}

absl::Status TakeLifecycle(const std::string& text, v1::Facts& facts) {
  if (text == kTerminated) {
    Add(facts, v1::InstanceNotice::TERMINATING, std::nullopt, "Auto Scaling has it end");
  }
  return absl::OkStatus();
}

struct Item {
  const char* path;
  v1::InstanceNotice::Kind kind;
  absl::Status (*take)(const std::string& text, v1::Facts& facts);
};

// In the order of InstanceNotice.Kind.
constexpr Item kItems[] = {
    {"spot/instance-action", v1::InstanceNotice::SPOT_INTERRUPTION, TakeSpotAction},
    {"events/recommendations/rebalance", v1::InstanceNotice::REBALANCE, TakeRebalance},
    {"events/maintenance/scheduled", v1::InstanceNotice::MAINTENANCE, TakeMaintenance},
    {"autoscaling/target-lifecycle-state", v1::InstanceNotice::TERMINATING, TakeLifecycle},
};

// What was said last stands where it cannot be asked: a node that is about to go does not come back
// into service for that.
void AddKept(const ProbeInput& input, v1::InstanceNotice::Kind kind, v1::Facts& facts) {
  const std::optional<v1::InstanceFacts> kept = input.cache.notices.Get();
  if (!kept) return;
  for (const v1::InstanceNotice& notice : kept->notices()) {
    if (notice.kind() == kind) *facts.mutable_instance()->add_notices() = notice;
  }
}

}  // namespace

absl::Status ReadInstanceNotices(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::string> endpoint = FindMetadataService(input);
  if (absl::IsNotFound(endpoint.status())) return absl::OkStatus();
  if (!endpoint.ok()) return endpoint.status();
  MetadataService service(input.host, *endpoint);
  absl::Status failure;
  bool answers = true;
  for (const Item& item : kItems) {
    absl::Status taken = failure;
    if (answers) {
      const absl::StatusOr<std::string> text = service.Get(item.path);
      if (absl::IsNotFound(text.status())) continue;
      taken = text.ok() ? item.take(*text, facts) : text.status();
      // Without a token there is no other item, either.
      answers = text.ok();
    }
    if (taken.ok()) continue;
    AddKept(input, item.kind, facts);
    if (failure.ok()) failure = taken;
  }
  input.cache.notices.Put(facts.instance());
  // What was read stays: a notice is no less true for another that is not known.
  if (!failure.ok()) MarkUnobserved(facts, "instance.notices", std::string(failure.message()));
  return absl::OkStatus();
}

}  // namespace connect_ha
