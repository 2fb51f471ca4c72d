#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/kept_file.h"
#include "agent/resources/nouns.h"

namespace connect_ha {
namespace {

// Fixed, whatever Server.DataDir is, and so of each node its own.
constexpr char kDirectory[] = "/var/lib/rstudio-connect";
constexpr char kSuffix[] = ".lic";
constexpr char kOldLicenses[] = "old-licenses";

std::string FileName(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return absl::EndsWith(name, kSuffix) ? name : "connect.lic";
}

bool IsRootsAlone(const FileStatus& status) {
  return status.kind == FileStatus::Kind::kFile && status.mode == 0600 && status.uid == 0 &&
         status.gid == 0;
}

class License : public Resource {
 public:
  explicit License(const ResourceContext& context)
      : context_(context),
        name_(FileName(context.desired.spec().connect().license().file())),
        path_(absl::StrCat(kDirectory, "/", name_)) {}

  std::string Name() const override { return "license " + name_; }

  // Whose package makes the directory, and may bring a file of its own.
  std::vector<std::string> After() override { return {"unit", "package rstudio-connect"}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::string> fault = FileFault();
    if (!fault.ok()) return fault.status();
    const absl::StatusOr<std::vector<std::string>> others = Others();
    if (!others.ok()) return others.status();
    std::vector<std::string> faults;
    if (!fault->empty()) faults.push_back(*fault);
    if (!others->empty()) faults.push_back(absl::StrCat("beside ", absl::StrJoin(*others, ", ")));
    if (faults.empty()) return std::nullopt;
    v1::Change change;
    change.set_from(absl::StrJoin(faults, ", "));
    change.set_to("the specification's, alone");
    return change;
  }

  // The right one is there before the others go.
  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<std::string> fault = FileFault();
    if (!fault.ok()) return fault.status();
    absl::Status done = context_.host.MakeDirectory(kDirectory);
    if (done.ok()) done = KeepFile(context_, path_, kOldLicenses, context_.desired.license());
    if (done.ok() && !fault->empty()) {
      done = context_.host.WriteFile(path_, context_.desired.license(), FileAttributes());
    }
    if (!done.ok()) return done;
    const absl::StatusOr<std::vector<std::string>> others = Others();
    if (!others.ok()) return others.status();
    for (const std::string& name : *others) {
      absl::Status moved = MoveAway(name);
      if (!moved.ok()) return moved;
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::string> FileFault() {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(path_);
    if (absl::IsNotFound(status.status())) return "absent";
    if (!status.ok()) return status.status();
    if (!IsRootsAlone(*status)) return "not root's alone (0600)";
    const absl::StatusOr<std::string> content = context_.host.ReadFile(path_);
    if (!content.ok()) return content.status();
    return *content == context_.desired.license() ? "" : "another";
  }

  absl::StatusOr<std::vector<std::string>> Others() {
    std::vector<std::string> others;
    const absl::StatusOr<std::vector<std::string>> names = context_.host.ListDirectory(kDirectory);
    if (absl::IsNotFound(names.status())) return others;
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (absl::EndsWith(name, kSuffix) && name != name_) others.push_back(name);
    }
    return others;
  }

  // The state directory may be on another file system: copied, then removed.
  absl::Status MoveAway(const std::string& name) {
    const std::string from = absl::StrCat(kDirectory, "/", name);
    const absl::StatusOr<FileStatus> status = context_.host.LStat(from);
    if (absl::IsNotFound(status.status())) return absl::OkStatus();
    if (!status.ok()) return status.status();
    if (status->kind == FileStatus::Kind::kDirectory) {
      return absl::FailedPreconditionError(absl::StrCat(
          from, " is a directory\nfix: look what is in it, and move it out of ", kDirectory));
    }
    const absl::Status kept = KeepFile(context_, from, kOldLicenses);
    if (!kept.ok()) return kept;
    return context_.host.Remove(from);
  }

  const ResourceContext& context_;
  const std::string name_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<Resource> MakeLicense(const ResourceContext& context) {
  return std::make_unique<License>(context);
}

}  // namespace connect_ha
