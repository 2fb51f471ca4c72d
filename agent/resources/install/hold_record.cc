#include "agent/resources/install/hold_record.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/resources/install/package_manager.h"

namespace connect_ha {
namespace {

constexpr char kOurs[] = "ours";
constexpr char kOthers[] = "others";

std::string Notes(const ResourceContext& context) { return context.state_dir + "/holds"; }

std::string NoteFile(const ResourceContext& context, const std::string& package) {
  return absl::StrCat(Notes(context), "/", package);
}

absl::StatusOr<std::vector<std::string>> NotedPackages(const ResourceContext& context) {
  absl::StatusOr<std::vector<std::string>> names = context.host.ListDirectory(Notes(context));
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  return names;
}

}  // namespace

absl::Status NoteHold(const ResourceContext& context, const std::string& package) {
  const std::string file = NoteFile(context, package);
  const absl::StatusOr<FileStatus> there = context.host.LStat(file);
  if (there.ok()) return absl::OkStatus();
  if (!absl::IsNotFound(there.status())) return there.status();
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  const v1::Package* installed = (*database)->Find(package);
  const bool is_others = installed != nullptr && IsOnHold(*installed);
  absl::Status made = context.host.MakeDirectory(Notes(context));
  if (!made.ok()) return made;
  return context.host.WriteFile(file, absl::StrCat(is_others ? kOthers : kOurs, "\n"),
                                FileAttributes());
}

absl::StatusOr<std::vector<NotedHold>> NotedHolds(const ResourceContext& context) {
  std::vector<NotedHold> holds;
  const absl::StatusOr<std::vector<std::string>> names = NotedPackages(context);
  if (!names.ok()) return names.status();
  if (names->empty()) return holds;
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  for (const std::string& name : *names) {
    const absl::StatusOr<std::string> note = context.host.ReadFile(NoteFile(context, name));
    if (!note.ok()) return note.status();
    NotedHold hold;
    hold.package = name;
    hold.is_ours = absl::StripAsciiWhitespace(*note) == kOurs;
    const v1::Package* package = (*database)->Find(name);
    hold.is_known = package != nullptr;
    hold.is_on_hold = package != nullptr && IsOnHold(*package);
    holds.push_back(std::move(hold));
  }
  return holds;
}

absl::Status ForgetHold(const ResourceContext& context, const std::string& package) {
  return context.host.Remove(NoteFile(context, package));
}

absl::Status ForgetSettledHolds(const ResourceContext& context) {
  const absl::StatusOr<std::vector<NotedHold>> holds = NotedHolds(context);
  if (!holds.ok()) return holds.status();
  for (const NotedHold& hold : *holds) {
    if (hold.is_known && hold.is_ours == hold.is_on_hold) continue;
    absl::Status forgotten = ForgetHold(context, hold.package);
    if (!forgotten.ok()) return forgotten;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
