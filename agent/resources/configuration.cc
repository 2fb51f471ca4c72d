#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/assignment/standing.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/kept_file.h"
#include "agent/resources/nouns.h"
#include "agent/resources/secret.h"
#include "agent/resources/service/service_notes.h"
#include "common/connect/connect_keys.h"
#include "common/connect/connect_redaction.h"
#include "common/connect/gcfg.h"
#include "common/spec/connect_template.h"
#include "common/time.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr size_t kKeysShown = 8;
constexpr size_t kLongestValue = 60;
constexpr std::chrono::seconds kReloadDeadline{20};

struct Key {
  std::string spelling;  // Server.Address, or RPackageRepository "CRAN".URL, as a person wrote it
  std::string section;
  std::string name;
  bool secret = false;
  std::vector<std::string> values;
};

// By their names in lower case.
std::map<std::string, Key> KeysOf(const GcfgFile& file) {
  std::map<std::string, Key> keys;
  for (const GcfgEntry& entry : file.entries) {
    const std::string subsection =
        entry.subsection.empty()
            ? ""
            : absl::StrCat(" \"", RedactPasswords(entry.subsection).text, "\"");
    Key& key = keys[absl::StrCat(absl::AsciiStrToLower(entry.section), subsection, ".",
                                 absl::AsciiStrToLower(entry.name))];
    if (key.spelling.empty()) {
      key.section = entry.section;
      key.name = entry.name;
      key.spelling = absl::StrCat(entry.section, subsection, ".", entry.name);
      key.secret = IsSecretKey(entry.section, entry.name);
    }
    key.values.push_back(entry.value.value_or("true"));
  }
  return keys;
}

// As facts show it: no password in it.
std::string Shown(const std::string& name, const std::vector<std::string>& values) {
  if (values.empty()) return "absent";
  std::vector<std::string> shown;
  shown.reserve(values.size());
  for (const std::string& value : values) shown.push_back(RedactConfigValue(name, value).text);
  std::string text = absl::StrJoin(shown, ", ");
  if (text.size() > kLongestValue) text = absl::StrCat(text.substr(0, kLongestValue), "...");
  return absl::StrCat("\"", text, "\"");
}

// One key that has another value in the file than in the specification.
struct Difference {
  Key here;
  Key wanted;
  const Key& known() const { return wanted.spelling.empty() ? here : wanted; }
};

std::vector<Difference> Compare(const GcfgFile& here, const GcfgFile& wanted) {
  std::map<std::string, Difference> all;
  for (auto& [name, key] : KeysOf(here)) all[name].here = key;
  for (auto& [name, key] : KeysOf(wanted)) all[name].wanted = key;
  std::vector<Difference> differences;
  for (const auto& [name, pair] : all) {
    if (pair.here.values != pair.wanted.values) differences.push_back(pair);
  }
  return differences;
}

std::string Summary(const std::vector<Difference>& differences, Key Difference::*side) {
  std::vector<std::string> texts;
  for (const Difference& difference : differences) {
    if (texts.size() == kKeysShown) break;
    const Key& known = difference.known();
    texts.push_back(known.secret ? known.spelling + " differs"
                                 : absl::StrCat(known.spelling, " is ",
                                                Shown(known.name, (difference.*side).values)));
  }
  std::string text = absl::StrJoin(texts, ", ");
  if (differences.size() > kKeysShown) {
    absl::StrAppend(&text, " (", differences.size(), " keys in all)");
  }
  return text;
}

// What it takes for the values that differ to hold.
KeyChange MostOf(const std::vector<Difference>& differences) {
  KeyChange most = KeyChange::kReload;
  for (const Difference& difference : differences) {
    const Key& known = difference.known();
    most = std::max(most, ChangeOfKey(known.section, known.name));
  }
  return most;
}

class Configuration : public Resource {
 public:
  explicit Configuration(const ResourceContext& context)
      : context_(context), path_(context.agent_config.connect_config()) {}

  std::string Name() const override { return "file " + path_; }

  // Whose package makes the directory, and may bring a file of its own.
  std::vector<std::string> After() override { return {"unit", "package rstudio-connect"}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::string> wanted = Render();
    if (!wanted.ok()) return wanted.status();
    v1::Change change;
    change.set_to("as the specification gives it");
    const absl::Status looked = Look(*wanted, change);
    if (!looked.ok()) return looked;
    if (!change.from().empty()) return change;
    const bool is_in_force = context_.service.unit == UnitWanted::kRunning;
    if (is_in_force) context_.cache.filled_in.Put(Sha256(*wanted));
    return std::nullopt;
  }

  // That Connect has to read the file is written down before the file is.
  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<std::string> wanted = Render();
    if (!wanted.ok()) return wanted.status();
    v1::Change change;
    absl::Status ready = Look(*wanted, change);
    const bool reloads = change.needs() == v1::Change::RELOAD;
    if (ready.ok() && reloads) ready = NoteReload();
    if (ready.ok()) ready = context_.host.MakeDirectory(path_.substr(0, path_.rfind('/')));
    if (ready.ok()) ready = KeepFile(context_, path_, "old-configurations", *wanted);
    if (ready.ok()) ready = context_.host.WriteFile(path_, *wanted, FileAttributes());
    return ready.ok() && reloads ? Reload() : ready;
  }

 private:
  absl::StatusOr<std::string> Render() {
    const std::string& text = context_.desired.connect_config();
    const absl::Status right = CheckTemplate(text);
    if (!right.ok()) return right;
    std::map<std::string, std::string> values = {{"node.name", context_.node}};
    for (const std::string& name : SecretsInTemplate(text)) {
      const absl::StatusOr<std::string> secret = ResolveSecret(context_, name);
      if (!secret.ok()) return secret.status();
      values["secret." + name] = *secret;
    }
    return RenderConnectConfig(text, values);
  }

  // Above all that no secret is filled in where facts would report it, whoever sent the template.
  absl::Status CheckTemplate(const std::string& text) {
    for (const ConfigProblem& problem :
         CheckConnectTemplate(text, path_, context_.desired.spec())) {
      if (problem.severity != Severity::kError) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("the specification's configuration, line ", problem.position.line, ": ",
                       problem.message, "\nfix: connect-ha check-config cluster.yaml"));
    }
    return absl::OkStatus();
  }

  // Sets what is wrong, where anything is. No secret is in it.
  absl::Status Look(const std::string& wanted, v1::Change& change) {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(path_);
    if (absl::IsNotFound(status.status())) {
      change.set_from("absent");
      SetNeeds(UnlessCurrent(v1::Change::RESTART), change);
      return absl::OkStatus();
    }
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kFile) {
      change.set_from("not a file");
      SetNeeds(UnlessCurrent(v1::Change::RESTART), change);
      return absl::OkStatus();
    }
    const absl::StatusOr<std::string> text = context_.host.ReadFile(path_);
    if (!text.ok()) return text.status();
    if (*text != wanted) {
      LookAtKeys(*text, wanted, change);
    } else if (status->mode != 0600 || status->uid != 0 || status->gid != 0) {
      change.set_from(
          absl::StrFormat("owner %d:%d, mode %04o", status->uid, status->gid, status->mode));
    }
    if (change.from().empty() && IsToBeRead()) {
      change.set_from("written, and not read by Connect yet");
      SetNeeds(CanReload() ? v1::Change::RELOAD : v1::Change::RESTART, change);
    }
    return absl::OkStatus();
  }

  void SetNeeds(v1::Change::Needs needs, v1::Change& change) const {
    change.set_needs(needs);
    if (needs == v1::Change::RESTART) change.set_interrupts("Connect must be restarted");
    if (needs == v1::Change::TOGETHER) {
      change.set_interrupts("Connect must be stopped on every node");
    }
  }

  // Connect reads it as it starts: one that has started with the right one needs no other start.
  v1::Change::Needs UnlessCurrent(v1::Change::Needs needs) const {
    return context_.service.is_current ? v1::Change::NOTHING : needs;
  }

  // Nobody changed the file, but a secret: what Connect was started with is no longer the right
  // one.
  bool IsFilledInAnew(const std::string& wanted) const {
    if (context_.notes == nullptr) return false;
    const v1::ServiceMemory memory = context_.notes->Get();
    return !memory.served_configuration().empty() &&
           IsOneSpecification(memory.served(), context_.desired) &&
           memory.served_configuration() != Sha256(wanted);
  }

  v1::Change::Needs NeedsOf(const std::vector<Difference>& differences) const {
    const KeyChange most = MostOf(differences);
    if (most == KeyChange::kTogether) return v1::Change::TOGETHER;
    return most == KeyChange::kReload && CanReload() ? v1::Change::RELOAD : v1::Change::RESTART;
  }

  // It runs, and there is a way to tell it.
  bool CanReload() const {
    const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context_);
    return context_.notes != nullptr && unit.ok() && IsUp(*unit) && unit->can_reload();
  }

  // The Connect that runs was to be told of this file, and was not.
  bool IsToBeRead() const {
    if (context_.notes == nullptr) return false;
    const v1::ServiceMemory memory = context_.notes->Get();
    if (!memory.has_reload() || memory.reload().has_done_at()) return false;
    const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context_);
    return unit.ok() && IsUp(*unit) && unit->started_at() == memory.reload().started_at();
  }

  absl::Status NoteReload() {
    const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context_);
    if (!unit.ok()) return unit.status();
    return context_.notes->Change([&unit](v1::ServiceMemory& memory) {
      *memory.mutable_reload()->mutable_started_at() = unit->started_at();
      memory.mutable_reload()->clear_done_at();
    });
  }

  absl::Status Reload() {
    absl::Status reloaded =
        context_.host.ReloadUnit(context_.agent_config.connect_unit(), kReloadDeadline);
    if (!reloaded.ok()) return reloaded;
    const Time now = context_.host.Now();
    absl::Status noted = context_.notes->Change([now](v1::ServiceMemory& memory) {
      *memory.mutable_reload()->mutable_done_at() = ToProto(now);
    });
    context_.cache.reload.Put(context_.notes->Get().reload());
    return noted;
  }

  void LookAtKeys(const std::string& text, const std::string& wanted, v1::Change& change) const {
    const GcfgFile here = ParseGcfg(text);
    if (!here.errors.empty()) {
      change.set_from("there, but no gcfg");
      SetNeeds(UnlessCurrent(v1::Change::RESTART), change);
      return;
    }
    const std::vector<Difference> differences = Compare(here, ParseGcfg(wanted));
    if (differences.empty()) {
      change.set_from("the same keys, written in another way");
      return;
    }
    const v1::Change::Needs needs = NeedsOf(differences);
    const bool is_anew = needs == v1::Change::TOGETHER && IsFilledInAnew(wanted);
    SetNeeds(is_anew ? needs : UnlessCurrent(needs), change);
    change.set_filled_in_anew(is_anew);
    change.set_from(Summary(differences, &Difference::here));
    change.set_to(Summary(differences, &Difference::wanted));
    // What is secret is not told, and says the same before and after.
    if (change.from() == change.to()) change.set_to("as the specification gives it");
  }

  const ResourceContext& context_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<Resource> MakeConfiguration(const ResourceContext& context) {
  return std::make_unique<Configuration>(context);
}

}  // namespace connect_ha
