#include "agent/assignment/told.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// A boot, with a long check of its disks.
constexpr std::chrono::minutes kLongestAway{30};
constexpr std::chrono::minutes kNoteEvery{10};

std::string ToldFile(const std::string& runtime_dir) { return runtime_dir + "/told"; }
std::string AliveFile(const std::string& state_dir) { return state_dir + "/alive"; }

absl::Status Away(const std::string& since) {
  return absl::FailedPreconditionError(absl::StrCat(
      "this node, or its agent, was off ", since,
      ", and what it was told before may no longer "
      "hold\nfix: wait: once the coordinator has answered, the agent starts Connect where it may; "
      "where there is no coordinator: connect-ha-agent preflight --override REASON"));
}

}  // namespace

absl::Status CheckTold(Host& host, const std::string& state_dir, const std::string& runtime_dir) {
  if (!runtime_dir.empty() && host.LStat(ToldFile(runtime_dir)).ok()) return absl::OkStatus();
  const absl::StatusOr<std::string> text = host.ReadFile(AliveFile(state_dir));
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  int64_t seconds = 0;
  if (!text.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &seconds)) {
    return Away("for nobody knows how long");
  }
  const Time alive{std::chrono::seconds(seconds)};
  const auto away = host.Now() - alive;
  // A machine without a clock of its own boots in the past.
  if (away < -kLongestAway) return Away("for nobody knows how long: the clock has run back");
  if (away <= kLongestAway) return absl::OkStatus();
  return Away(absl::StrCat("since ", FormatUtc(alive)));
}

ToldNotes::ToldNotes(WritableHost& host, std::string state_dir, std::string runtime_dir)
    : host_(host), state_dir_(std::move(state_dir)), runtime_dir_(std::move(runtime_dir)) {}

void ToldNotes::Called(const v1::HeartbeatResponse* answer) {
  const bool was_told = answer != nullptr && answer->assigned_state() != v1::NODE_STATE_UNSPECIFIED;
  if (was_told && !told_ && !runtime_dir_.empty()) {
    const absl::Status written = host_.WriteFile(ToldFile(runtime_dir_), "", FileAttributes());
    Note(written);
    told_ = written.ok();
  }
  const Time now = host_.Now();
  if (now < next_alive_ && now >= next_alive_ - kNoteEvery) return;
  // What has been off for long is not there again before it was told.
  if (!CheckTold(host_, state_dir_, runtime_dir_).ok()) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  Note(host_.WriteFile(AliveFile(state_dir_), absl::StrCat(seconds.count(), "\n"),
                       FileAttributes()));
  next_alive_ = now + kNoteEvery;
}

void ToldNotes::Note(const absl::Status& written) {
  if (written.ok()) return;
  spdlog::warn("event=told-not-noted error={}", LogValue(std::string(written.message())));
}

}  // namespace connect_ha
