#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/probes/installed/manifest.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/nouns.h"
#include "common/checklist/view/facts_view.h"
#include "common/connect/gcfg.h"
#include "common/text/shell_word.h"
#include "common/tls/crypto.h"
#include "common/version.h"

namespace connect_ha {
namespace {

using Versions = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

// How one kind is laid out: /opt/R/4.3.3 of the package r-4.3.3.
struct Kind {
  const char* directory;
  const char* package;  // "" for what comes in archives
  const char* runtime;  // as PinnedRuntime has it
  const Versions& (*versions)(const v1::RuntimesSpec& spec);
};

const Versions& RVersions(const v1::RuntimesSpec& spec) { return spec.r(); }
const Versions& PythonVersions(const v1::RuntimesSpec& spec) { return spec.python(); }
const Versions& QuartoVersions(const v1::RuntimesSpec& spec) { return spec.quarto(); }

constexpr std::array<Kind, 3> kKinds = {{{"/opt/R", "r-", "r", RVersions},
                                         {"/opt/python", "python-", "python", PythonVersions},
                                         {"/opt/quarto", "", "quarto", QuartoVersions}}};

struct Unnamed {
  const Kind* kind;
  std::string version;
  std::string Directory() const { return absl::StrCat(kind->directory, "/", version); }
};

std::string Directories(const std::vector<Unnamed>& unnamed) {
  return absl::StrJoin(unnamed, ", ", [](std::string* out, const Unnamed& version) {
    absl::StrAppend(out, version.Directory());
  });
}

uint64_t ItemsPinnedTo(const v1::DatabaseFacts& database, const Unnamed& unnamed) {
  uint64_t items = 0;
  for (const v1::PinnedRuntime& pinned : database.pinned()) {
    const bool same =
        pinned.runtime() == unnamed.kind->runtime && SameVersion(pinned.version(), unnamed.version);
    if (same) items += pinned.items();
  }
  return items;
}

// "": it is. In a database with nothing in it there is no content.
std::string WhyPinnedUnknown(const v1::Facts& facts) {
  const v1::DatabaseFacts& database = facts.database();
  const auto unobserved = WhyUnobserved(facts, "database.pinned");
  if (unobserved) return *unobserved;
  if (!facts.has_database()) return "Connect's configuration names no PostgreSQL database";
  const bool is_empty = database.has_connect_tables() && database.connect_tables() == 0 &&
                        database.other_tables() == 0;
  return is_empty ? "" : database.pinned_unknown();
}

bool IsNamedIn(const GcfgFile& configuration, const Unnamed& unnamed) {
  const std::string below = unnamed.Directory() + "/";
  return std::any_of(configuration.entries.begin(), configuration.entries.end(),
                     [&below](const GcfgEntry& entry) {
                       return entry.value && absl::StartsWith(*entry.value, below);
                     });
}

class Prune : public Resource {
 public:
  explicit Prune(const ResourceContext& context) : context_(context) {}

  std::string Name() const override { return "versions"; }

  // What is to stay is there before anything goes; and no Connect runs by a configuration of
  // before, which names what goes.
  std::vector<std::string> After() override {
    return {"unit", "packages", "package", "archive", "file"};
  }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::vector<Unnamed>> unnamed = Look();
    if (!unnamed.ok()) return unnamed.status();
    if (unnamed->empty()) return std::nullopt;
    const absl::Status may_go = CheckUnused(*unnamed);
    if (!may_go.ok()) return may_go;
    v1::Change change;
    change.set_from(Directories(*unnamed));
    change.set_to("removed");
    change.set_interrupts("content that was deployed with these versions no longer runs");
    change.set_needs(v1::Change::NOTHING);
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    const absl::StatusOr<std::vector<Unnamed>> unnamed = Look();
    if (!unnamed.ok()) return unnamed.status();
    const absl::Status may_go = CheckUnused(*unnamed);
    if (!may_go.ok()) return may_go;
    for (const Unnamed& version : *unnamed) {
      if (progress.Stopped()) return absl::CancelledError("stopped");
      absl::Status removed = RemoveVersion(version, progress);
      if (!removed.ok()) return removed;
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::vector<Unnamed>> Look() {
    std::vector<Unnamed> unnamed;
    for (const Kind& kind : kKinds) {
      const Versions& named = kind.versions(context_.desired.spec().runtimes());
      if (named.empty()) continue;
      std::set<std::string> wanted;
      for (const v1::RuntimeSpec& runtime : named) wanted.insert(runtime.version());
      if (context_.beside != nullptr) {
        for (const v1::RuntimeSpec& runtime : kind.versions(context_.beside->runtimes())) {
          wanted.insert(runtime.version());
        }
      }
      absl::Status looked = LookAt(kind, wanted, unnamed);
      if (!looked.ok()) return looked;
    }
    return unnamed;
  }

  absl::Status LookAt(const Kind& kind, const std::set<std::string>& wanted,
                      std::vector<Unnamed>& unnamed) {
    const auto names = context_.host.ListDirectory(kind.directory);
    if (absl::IsNotFound(names.status())) return absl::OkStatus();
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(name[0])) || wanted.count(name) > 0) {
        continue;
      }
      const auto status = context_.host.LStat(absl::StrCat(kind.directory, "/", name));
      if (absl::IsNotFound(status.status())) continue;
      if (!status.ok()) return status.status();
      if (status->kind == FileStatus::Kind::kDirectory) unnamed.push_back({&kind, name});
    }
    return absl::OkStatus();
  }

  // What is not known counts as if it was in use. Where there is no Connect, nothing uses it.
  absl::Status CheckUnused(const std::vector<Unnamed>& unnamed) {
    if (unnamed.empty() || IsConnectAbsent(context_)) return absl::OkStatus();
    const absl::StatusOr<std::string> configuration = Configuration();
    if (!configuration.ok()) return configuration.status();
    const GcfgFile keys = ParseGcfg(*configuration);
    for (const Unnamed& version : unnamed) {
      if (!IsNamedIn(keys, version)) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(version.Directory(),
                       " is not removed: Connect's configuration names it\nfix: take it out of the "
                       "configuration, or name the version in cluster.yaml (runtimes)"));
    }
    return CheckPinned(unnamed);
  }

  // As it is to be; the file, where no specification gives it.
  absl::StatusOr<std::string> Configuration() {
    if (context_.desired.has_connect_config()) return context_.desired.connect_config();
    absl::StatusOr<std::string> text =
        context_.host.ReadFile(context_.agent_config.connect_config());
    return absl::IsNotFound(text.status()) ? std::string() : text;
  }

  absl::Status CheckPinned(const std::vector<Unnamed>& unnamed) {
    const v1::Facts facts = context_.facts ? context_.facts() : v1::Facts();
    std::vector<std::string> pinned;
    for (const Unnamed& version : unnamed) {
      const uint64_t items = ItemsPinnedTo(facts.database(), version);
      if (items == 0) continue;
      pinned.push_back(
          absl::StrCat(version.Directory(), " (", items, items == 1 ? " item)" : " items)"));
    }
    if (!pinned.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "content is pinned to what would be removed: ", absl::StrJoin(pinned, ", "),
          "\nfix: name it in cluster.yaml (runtimes), or have that content run as another version "
          "first"));
    }
    const std::string unknown = context_.facts ? WhyPinnedUnknown(facts) : "nobody asked for it";
    if (unknown.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "whether content is pinned to what would be removed is not known: ", Directories(unnamed),
        ": ", unknown,
        "\nfix: runtimes.prune: false in cluster.yaml; what nobody needs is removed by hand"));
  }

  absl::Status RemoveVersion(const Unnamed& version, Progress& progress) {
    progress.Enter(v1::Step::REMOVING);
    const absl::StatusOr<std::string> package = PackageOf(version);
    if (!package.ok()) return package.status();
    if (!package->empty()) {
      absl::Status purged = RemovePackage(*package, progress);
      if (!purged.ok()) return purged;
    }
    // What the package did not know of: libraries that were installed into it.
    absl::Status removed = context_.host.Remove(version.Directory());
    if (!removed.ok()) return removed;
    return context_.host.Remove(ManifestPath(version.Directory()));
  }

  // "" when no package has anything in it. FailedPrecondition: one that is not of its kind does.
  absl::StatusOr<std::string> PackageOf(const Unnamed& version) {
    const auto owner = FindOwner(context_.host, context_.cache, version.Directory());
    if (absl::IsNotFound(owner.status())) return std::string();
    if (!owner.ok()) return owner.status();
    if (!owner->has_value()) return std::string();
    const std::string& name = (*owner)->name();
    if (*version.kind->package != '\0' && absl::StartsWith(name, version.kind->package)) {
      return name;
    }
    return absl::FailedPreconditionError(
        absl::StrCat(version.Directory(), " belongs to the package ", name,
                     ", which is not removed here\nfix: name the version in the specification, or: "
                     "apt-get purge ",
                     ShellOperand(name)));
  }

  absl::Status RemovePackage(const std::string& package, Progress& progress) {
    Installation removal;
    removal.service = InstallerService("remove", Hex(Sha256(package)));
    removal.description = "remove " + package;
    const auto commands = RepairAndPurge(context_, package);
    if (!commands.ok()) return commands.status();
    removal.commands = *commands;
    removal.touches_connect = false;
    return Install(context_, removal, progress);
  }

  const ResourceContext& context_;
};

}  // namespace

std::unique_ptr<Resource> MakePrune(const ResourceContext& context) {
  return std::make_unique<Prune>(context);
}

}  // namespace connect_ha
