#include "agent/loop/notice_notes.h"

#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace connect_ha {

NoticeNotes::NoticeNotes(WritableHost& host, const std::string& state_dir,
                         const std::string& boot_id, ProbeCache& cache)
    : host_(host), path_(absl::StrCat(state_dir, "/notices")), boot_id_(boot_id), cache_(cache) {
  const absl::StatusOr<std::string> bytes = host_.ReadFile(path_);
  if (absl::IsNotFound(bytes.status())) return;
  v1::Facts facts;
  if (!bytes.ok() || !facts.ParseFromString(*bytes)) {
    spdlog::error("event=notices-not-read file={} error={}", path_,
                  LogValue(bytes.ok() ? "damaged" : std::string(bytes.status().message())));
    return;
  }
  if (boot_id_.empty() || facts.host().boot_id() != boot_id_) return;
  kept_ = facts.instance();
  cache_.notices.Put(kept_);
}

void NoticeNotes::Keep() {
  std::optional<v1::InstanceFacts> said = cache_.notices.Get();
  if (!said || google::protobuf::util::MessageDifferencer::Equals(*said, kept_)) return;
  v1::Facts facts;
  facts.mutable_host()->set_boot_id(boot_id_);
  *facts.mutable_instance() = *said;
  const absl::Status written = host_.WriteFile(path_, facts.SerializeAsString(), FileAttributes());
  if (!written.ok() && !std::exchange(failed_, true)) {
    spdlog::warn("event=notices-not-kept error={}", LogValue(std::string(written.message())));
  }
  if (!written.ok()) return;
  failed_ = false;
  kept_ = *std::move(said);
}

}  // namespace connect_ha
