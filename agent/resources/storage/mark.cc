// The cluster's mark in Connect's data directory.
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/probes/connect/configuration.h"
#include "agent/resources/nouns.h"
#include "agent/resources/storage/marking.h"

namespace connect_ha {
namespace {

class Mark : public Resource {
 public:
  explicit Mark(const ResourceContext& context) : context_(context) {}

  std::string Name() const override {
    return "mark " + context_.desired.spec().storage().mount_point();
  }

  // The data directory is made by its resource, or by nobody; its place is in the configuration.
  std::vector<std::string> After() override { return {"unit", "mount", "file", "directory"}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    absl::Status read = ReadConfig();
    if (!read.ok()) return read;
    const absl::StatusOr<MarkStand> stand = LookAtMark(Place());
    if (!stand.ok()) return stand.status();
    if (stand->fault.empty()) return std::nullopt;
    v1::Change change;
    change.set_from(stand->fault);
    change.set_to(absl::StrCat("of cluster ", stand->own.cluster(), " (", stand->own.id(), ")"));
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    absl::Status read = ReadConfig();
    return read.ok() ? KeepMark(Place()) : read;
  }

 private:
  absl::Status ReadConfig() {
    config_.reset();
    absl::StatusOr<ConnectConfig> config = LoadConnectConfig(context_.host, context_.agent_config);
    if (absl::IsNotFound(config.status())) return absl::OkStatus();
    if (!config.ok()) return config.status();
    config_ = *std::move(config);
    return absl::OkStatus();
  }

  Marking Place() const {
    const v1::ClusterSpec& spec = context_.desired.spec();
    return {context_.host,
            context_.cache,
            spec.storage(),
            spec.cluster(),
            context_.node,
            context_.state_dir,
            config_ ? &*config_ : nullptr,
            context_.not_before};
  }

  const ResourceContext& context_;
  std::optional<ConnectConfig> config_;
};

}  // namespace

std::unique_ptr<Resource> MakeMark(const ResourceContext& context) {
  return std::make_unique<Mark>(context);
}

}  // namespace connect_ha
