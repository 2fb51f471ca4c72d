#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/connect/connect_keys.h"
#include "common/connect/connect_redaction.h"
#include "common/connect/gcfg.h"
#include "common/nearest.h"
#include "common/spec/connect_template.h"
#include "common/spec/connect_template_text.h"

namespace connect_ha {
namespace {

// Stands for a secret that will be filled in. RedactPasswords takes it for a password like any
// other, and not for one that is masked already.
constexpr char kFilledIn[] = "filled-in-on-the-node";
// As RedactPasswords masks one.
constexpr char kMasked[] = "***";

std::string NameOf(const GcfgEntry& entry) { return absl::StrCat(entry.section, ".", entry.name); }

// postgres_password, for Postgres.Password.
std::string SecretFor(const GcfgEntry& entry) {
  return absl::AsciiStrToLower(absl::StrCat(entry.section, "_", entry.name));
}

class TemplateChecker {
 public:
  TemplateChecker(std::string_view text, const std::string& file, const v1::ClusterSpec& spec)
      : gcfg_(ParseGcfg(text)), text_(WithoutByteOrderMark(text)), file_(file), spec_(spec) {}

  std::vector<ConfigProblem> Check() {
    for (const GcfgError& error : gcfg_.errors) {
      Report(Severity::kError, {static_cast<int>(error.line), static_cast<int>(error.column)},
             error.message);
    }
    for (const GcfgEntry& entry : gcfg_.entries) {
      CheckKey(entry);
      CheckValue(entry);
    }
    if (gcfg_.errors.empty()) CheckForCluster(gcfg_);
    SortProblems(problems_);
    return std::move(problems_);
  }

 private:
  void Report(Severity severity, FilePosition position, std::string message) {
    problems_.push_back({file_, position, std::move(message), severity});
  }
  void Report(Severity severity, const GcfgEntry& entry, std::string message) {
    Report(severity, {static_cast<int>(entry.line), static_cast<int>(entry.column)},
           std::move(message));
  }

  void CheckKey(const GcfgEntry& entry) {
    const ConnectKey* key = FindConnectKey(entry.section, entry.name);
    if (key != nullptr && key->former) {
      Report(Severity::kWarning, entry, absl::StrCat(NameOf(entry), " ", *key->former));
      return;
    }
    const std::vector<std::string> sections = ConnectSections();
    const bool known = std::any_of(sections.begin(), sections.end(), [&](const auto& section) {
      return absl::EqualsIgnoreCase(section, entry.section);
    });
    if (!known) {
      WarnOfUnknown("section", entry.section, sections, entry);
    } else if (key == nullptr) {
      // Not all keys are known: only one that is nearly a known one is worth a word.
      const auto names = ConnectKeyNames(entry.section);
      if (!Nearest(entry.name, names).empty()) WarnOfUnknown("key", entry.name, names, entry);
    }
  }

  void WarnOfUnknown(const char* what, const std::string& name,
                     const std::vector<std::string>& names, const GcfgEntry& entry) {
    const std::string nearest = Nearest(name, names);
    Report(Severity::kWarning, entry,
           absl::StrCat("connect-ha does not know a ", what, " \"", name, "\" of Connect",
                        nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }

  void CheckValue(const GcfgEntry& entry) {
    if (!entry.value) {
      Report(Severity::kError, entry,
             absl::StrCat(NameOf(entry), " has no value; write ", entry.name, " = true"));
      return;
    }
    const auto pieces = SplitTemplateValue(*entry.value);
    if (!pieces.ok()) {
      Report(Severity::kError, PositionOfPlaceholder(text_, entry, ""),
             std::string(pieces.status().message()));
      return;
    }
    for (const TemplatePiece& piece : *pieces) {
      if (piece.is_name) CheckPlaceholder(entry, piece.text);
    }
    CheckSecrecy(entry, *pieces);
  }

  void CheckPlaceholder(const GcfgEntry& entry, const std::string& name) {
    if (name == "node.name") return;
    const FilePosition place = PositionOfPlaceholder(text_, entry, name);
    const std::string secret = SecretNameOf(name);
    if (secret.empty()) {
      Report(Severity::kError, place,
             absl::StrCat("unknown ${", name, "}; there are ${node.name} and ${secret.NAME}"));
    } else if (spec_.secrets().count(secret) == 0) {
      std::vector<std::string> names;
      for (const auto& [known, unused] : spec_.secrets()) names.push_back(known);
      std::sort(names.begin(), names.end());
      const std::string nearest = Nearest(secret, names);
      Report(Severity::kError, place,
             absl::StrCat("the specification names no secret \"", secret, "\"; ",
                          nearest.empty()
                              ? absl::StrCat("write under secrets: ", secret,
                                             ": {file: /etc/connect-ha/secrets/", secret, "}")
                              : absl::StrCat("did you mean \"", nearest, "\"?")));
    }
  }

  // The value as it will be, with `secret` in place of each secret.
  static std::string Fill(const std::vector<TemplatePiece>& pieces, const std::string& secret) {
    std::string value;
    for (const TemplatePiece& piece : pieces) {
      value += !piece.is_name ? piece.text : SecretNameOf(piece.text).empty() ? "name" : secret;
    }
    return value;
  }

  // A secret must be filled in, and where it is, the node must not report it.
  void CheckSecrecy(const GcfgEntry& entry, const std::vector<TemplatePiece>& pieces) {
    if (IsSecretKey(entry.section, entry.name)) {
      const bool filled_in = std::all_of(pieces.begin(), pieces.end(), [](const auto& piece) {
        return piece.is_name && !SecretNameOf(piece.text).empty();
      });
      if (!filled_in) ReportWrittenOut(entry, NameOf(entry), "");
      return;
    }
    if (!RedactConfigValue(entry.name, Fill(pieces, kMasked)).passwords.empty()) {
      ReportWrittenOut(entry, absl::StrCat("the password in ", NameOf(entry)), " in its place");
    }
    if (absl::StrContains(RedactConfigValue(entry.name, Fill(pieces, kFilledIn)).text, kFilledIn)) {
      Report(Severity::kError, entry,
             absl::StrCat("a secret is filled in for ", NameOf(entry),
                          ", which nodes report as it is; secrets are for keys that end in "
                          "Password, Secret, Key, Token or Passphrase, and for passwords in URLs"));
    }
  }

  void ReportWrittenOut(const GcfgEntry& entry, const std::string& what, const char* where) {
    Report(Severity::kError, entry,
           absl::StrCat(what, " is written out; write ${secret.", SecretFor(entry), "}", where,
                        ", and under secrets: where each node finds it: ", SecretFor(entry),
                        ": {file: /etc/connect-ha/secrets/", SecretFor(entry), "}"));
  }

  static const GcfgEntry* Last(const GcfgFile& file, const char* section, const char* name) {
    const auto found =
        std::find_if(file.entries.rbegin(), file.entries.rend(), [&](const GcfgEntry& entry) {
          return absl::EqualsIgnoreCase(entry.section, section) &&
                 absl::EqualsIgnoreCase(entry.name, name) && entry.value;
        });
    return found == file.entries.rend() ? nullptr : &*found;
  }

  void Advise(const GcfgEntry* entry, const std::string& message) {
    if (entry == nullptr) {
      Report(Severity::kWarning, {1, 1}, message);
    } else {
      Report(Severity::kWarning, *entry, message);
    }
  }

  bool IsShared(const std::string& path) const {
    const std::string& shared = spec_.storage().mount_point();
    return path == shared || absl::StartsWith(path, shared + "/");
  }

  // What Connect takes, and what will not do where several nodes have it.
  void CheckForCluster(const GcfgFile& file) {
    const GcfgEntry* provider = Last(file, "Database", "Provider");
    if (provider == nullptr || !absl::EqualsIgnoreCase(*provider->value, "postgres")) {
      Advise(provider, absl::StrCat("Database.Provider is ",
                                    provider == nullptr ? "sqlite by default" : *provider->value,
                                    "; the nodes of a cluster share a database: write postgres"));
    }
    if (!spec_.has_storage()) return;
    const GcfgEntry* data = Last(file, "Server", "DataDir");
    const std::string data_dir = data == nullptr ? "/var/lib/rstudio-connect" : *data->value;
    if (!IsShared(data_dir)) {
      Advise(data, absl::StrCat("Server.DataDir is ", data_dir, data ? "" : " by default",
                                ", which is not below the shared ", spec_.storage().mount_point()));
    }
    const GcfgEntry* metrics = Last(file, "Metrics", "DataPath");
    const std::string path = metrics == nullptr ? data_dir : *metrics->value;
    if (IsShared(path) && !absl::StrContains(path, "${node.name}")) {
      Advise(metrics,
             absl::StrCat("Metrics.DataPath ",
                          metrics == nullptr ? "is below Server.DataDir by default," : "is",
                          " the same shared directory for every node; write one with "
                          "${node.name} in it, or a local one"));
    }
  }

  const GcfgFile gcfg_;
  const std::string_view text_;
  const std::string file_;
  const v1::ClusterSpec& spec_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace

std::vector<ConfigProblem> CheckConnectTemplate(std::string_view text, const std::string& file,
                                                const v1::ClusterSpec& spec) {
  return TemplateChecker(text, file, spec).Check();
}

}  // namespace connect_ha
