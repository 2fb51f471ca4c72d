#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/resources/nouns.h"
#include "agent/resources/secret.h"
#include "common/connect_template.h"
#include "common/gcfg.h"

namespace connect_ha {
namespace {

constexpr size_t kKeysShown = 8;

// "Server.Address" or `RPackageRepository "CRAN".URL`, in lower case, to all of its values.
std::map<std::string, std::vector<std::string>> ValuesByKey(const GcfgFile& file) {
  std::map<std::string, std::vector<std::string>> values;
  for (const GcfgEntry& entry : file.entries) {
    const std::string subsection =
        entry.subsection.empty() ? "" : absl::StrCat(" \"", entry.subsection, "\"");
    values[absl::StrCat(absl::AsciiStrToLower(entry.section), subsection, ".",
                        absl::AsciiStrToLower(entry.name))]
        .push_back(entry.value.value_or("true"));
  }
  return values;
}

// As a person wrote it in either file.
std::map<std::string, std::string> Spelling(const GcfgFile& file) {
  std::map<std::string, std::string> spelling;
  for (const GcfgEntry& entry : file.entries) {
    const std::string subsection =
        entry.subsection.empty() ? "" : absl::StrCat(" \"", entry.subsection, "\"");
    spelling.emplace(absl::StrCat(absl::AsciiStrToLower(entry.section), subsection, ".",
                                  absl::AsciiStrToLower(entry.name)),
                     absl::StrCat(entry.section, subsection, ".", entry.name));
  }
  return spelling;
}

// The keys whose values differ: names alone, since values may be secret.
std::vector<std::string> ChangedKeys(const GcfgFile& here, const GcfgFile& wanted) {
  const auto before = ValuesByKey(here);
  const auto after = ValuesByKey(wanted);
  std::set<std::string> keys;
  for (const auto& [key, values] : before) {
    const auto same = after.find(key);
    if (same == after.end() || same->second != values) keys.insert(key);
  }
  for (const auto& [key, values] : after) {
    if (before.count(key) == 0) keys.insert(key);
  }
  std::map<std::string, std::string> spelling = Spelling(wanted);
  spelling.merge(Spelling(here));
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string& key : keys) names.push_back(spelling.at(key));
  return names;
}

std::string Summary(std::vector<std::string> keys) {
  const size_t count = keys.size();
  if (count > kKeysShown) keys.resize(kKeysShown);
  std::string text = absl::StrCat(absl::StrJoin(keys, ", "), count == 1 ? " differs" : " differ");
  if (count > kKeysShown) absl::StrAppend(&text, " (", count, " keys in all)");
  return text;
}

class Configuration : public Resource {
 public:
  explicit Configuration(const ResourceContext& context)
      : context_(context), path_(context.agent_config.connect_config()) {}

  std::string Name() const override { return "file " + path_; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::string> wanted = Render();
    if (!wanted.ok()) return wanted.status();
    const absl::StatusOr<std::string> fault = Look(*wanted);
    if (!fault.ok()) return fault.status();
    if (fault->empty()) return std::nullopt;
    v1::Change change;
    change.set_from(*fault);
    change.set_to("as the specification gives it");
    change.set_interrupts("Connect must be restarted");
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<std::string> wanted = Render();
    if (!wanted.ok()) return wanted.status();
    absl::Status made = context_.host.MakeDirectory(path_.substr(0, path_.rfind('/')));
    if (!made.ok()) return made;
    return context_.host.WriteFile(path_, *wanted, FileAttributes());
  }

 private:
  absl::StatusOr<std::string> Render() {
    const std::string& text = context_.desired.connect_config();
    std::map<std::string, std::string> values = {{"node.name", context_.node}};
    for (const std::string& name : SecretsInTemplate(text)) {
      const absl::StatusOr<std::string> secret = ResolveSecret(context_, name);
      if (!secret.ok()) return secret.status();
      values["secret." + name] = *secret;
    }
    return RenderConnectConfig(text, values);
  }

  // What is wrong; "" when nothing is. Never a value.
  absl::StatusOr<std::string> Look(const std::string& wanted) {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(path_);
    if (absl::IsNotFound(status.status())) return "absent";
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kFile) return "not a file";
    const absl::StatusOr<std::string> text = context_.host.ReadFile(path_);
    if (!text.ok()) return text.status();
    if (*text != wanted) {
      const GcfgFile here = ParseGcfg(*text);
      if (!here.errors.empty()) return "there, but no gcfg";
      const std::vector<std::string> keys = ChangedKeys(here, ParseGcfg(wanted));
      return keys.empty() ? "the same keys, written in another way" : Summary(keys);
    }
    if (status->mode == 0600 && status->uid == 0 && status->gid == 0) return "";
    return absl::StrFormat("owner %d:%d, mode %04o", status->uid, status->gid, status->mode);
  }

  const ResourceContext& context_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<Resource> MakeConfiguration(const ResourceContext& context) {
  return std::make_unique<Configuration>(context);
}

}  // namespace connect_ha
