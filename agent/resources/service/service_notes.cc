#include "agent/resources/service/service_notes.h"

#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "absl/status/statusor.h"
#include "common/log.h"

namespace connect_ha {

ServiceNotes::ServiceNotes(WritableHost& host, std::string path)
    : host_(host), path_(std::move(path)) {}

v1::ServiceMemory ServiceNotes::Get() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::exchange(loaded_, true)) return memory_;
  const absl::StatusOr<std::string> bytes = host_.ReadFile(path_);
  if (absl::IsNotFound(bytes.status())) return memory_;
  if (!bytes.ok() || !memory_.ParseFromString(*bytes)) {
    memory_.Clear();
    spdlog::error("event=service-notes-not-read file={} error={}", path_,
                  LogValue(bytes.ok() ? "damaged" : std::string(bytes.status().message())));
  }
  return memory_;
}

absl::Status ServiceNotes::Change(const std::function<void(v1::ServiceMemory&)>& change) {
  const std::lock_guard<std::mutex> writing(write_mutex_);
  const v1::ServiceMemory before = Get();
  v1::ServiceMemory next = before;
  change(next);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (on_disk_ && google::protobuf::util::MessageDifferencer::Equals(before, next)) {
      return absl::OkStatus();
    }
    memory_ = next;
    on_disk_ = false;
  }
  absl::Status written = host_.WriteFile(path_, next.SerializeAsString(), FileAttributes());
  const std::lock_guard<std::mutex> lock(mutex_);
  on_disk_ = written.ok();
  return written;
}

}  // namespace connect_ha
