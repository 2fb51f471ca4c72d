#include "common/checklist/view/traits.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/config_values.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"
#include "common/connect/connect_keys.h"
#include "common/text/short_text.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr size_t kDigitsShown = 12;

class Collector {
 public:
  explicit Collector(const v1::NodeSnapshot& node) : node_(node) {}

  // True when what is at `path` was observed or seen to be absent; else says why not.
  bool Known(const std::string& path, const char* rule) {
    const auto why = WhyUnobserved(node_.facts(), path);
    if (why) AddUnknown(path, *why, rule);
    return !why;
  }
  void AddUnknown(const std::string& path, const std::string& why, const char* rule) {
    traits_[path] = {absl::StrCat("unknown: ", why), rule, false};
  }
  void Add(const std::string& path, const std::string& value, const char* rule,
           const char* otherwise = nullptr) {
    if (!value.empty()) traits_[path] = {value, rule, true, otherwise};
  }
  void Add(const std::string& path, const Trait& trait) { traits_[path] = trait; }
  void AddKnown(const std::string& path, const std::string& value, const char* rule) {
    if (Known(path, rule)) Add(path, value, rule);
  }

  const v1::Facts& facts() const { return node_.facts(); }
  Traits Take() { return std::move(traits_); }

 private:
  const v1::NodeSnapshot& node_;
  Traits traits_;
};

void AddHost(Collector& traits) {
  const v1::HostFacts& host = traits.facts().host();
  traits.AddKnown("host.os_id", host.os_id(), "platform-matches");
  traits.AddKnown("host.os_version", host.os_version(), "platform-matches");
  traits.AddKnown("host.architecture", host.architecture(), "platform-matches");
  traits.AddKnown("host.kernel", host.kernel(), "");
  traits.AddKnown("clock.time_service", traits.facts().clock().time_service(), "");
  traits.AddKnown("instance.instance_type", traits.facts().instance().instance_type(), "");
  const uint64_t memory = traits.facts().memory().total_bytes();
  if (memory > 0) traits.Add("memory.total", absl::StrCat(memory >> 20, " MiB"), "");
}

void AddConnect(Collector& traits) {
  const v1::ConnectFacts& connect = traits.facts().connect();
  traits.AddKnown("connect.package", PlainVersion(connect.package().version()),
                  "connect-version-matches");
  traits.AddKnown("connect.running_version", PlainVersion(connect.running_version()),
                  "connect-version-matches");
  traits.AddKnown("license.status", traits.facts().license().status(), "license-is-valid");
}

void AddAccounts(Collector& traits) {
  if (!traits.Known("accounts", "accounts-match")) return;
  for (const v1::Account& account : traits.facts().accounts().accounts()) {
    if (!account.has_uid()) continue;
    traits.Add(absl::StrCat("accounts.", account.name()),
               absl::StrCat("uid ", account.uid(), ", gid ", account.gid()), "accounts-match");
  }
  for (const v1::Group& group : traits.facts().accounts().groups()) {
    if (!group.has_gid()) continue;
    traits.Add(absl::StrCat("accounts.group.", group.name()), absl::StrCat("gid ", group.gid()),
               "accounts-match");
  }
}

const char* RuntimeRule(v1::RuntimeKind kind) {
  if (kind == v1::R) return "runtimes-match-r";
  return kind == v1::PYTHON ? "runtimes-match-python" : "runtimes-match-quarto";
}

void AddRuntimes(Collector& traits) {
  if (!traits.Known("runtimes", "runtimes-match-r")) return;
  for (const v1::Runtime& runtime : traits.facts().runtimes().runtimes()) {
    if (!runtime.exists()) continue;
    const std::string kind = absl::AsciiStrToLower(v1::RuntimeKind_Name(runtime.kind()));
    const std::string path = absl::StrCat(
        "runtimes.", kind, ".", runtime.has_version() ? runtime.version() : runtime.executable());
    const std::string build = FirstCharacters(runtime.build_digest(), kDigitsShown);
    traits.Add(path, build.empty() ? "installed" : absl::StrCat("build ", build),
               RuntimeRule(runtime.kind()));
  }
}

// As Connect reads it; the order of the values of a key that is given several times does not count.
std::string AsRead(const v1::ConfigKey& key, const char* otherwise) {
  v1::ConfigKey sorted = key;
  for (std::string& value : *sorted.mutable_values()) {
    value = NormalizedConfigValue(key.section(), key.name(), value);
  }
  std::sort(sorted.mutable_values()->begin(), sorted.mutable_values()->end());
  return KeyText(&sorted, otherwise);
}

void AddConfiguration(Collector& traits) {
  constexpr const char* kRule = "configuration-matches";
  if (const auto why = WhyConfigurationUnknown(traits.facts())) {
    return traits.AddUnknown("configuration.keys", *why, kRule);
  }
  for (const v1::ConfigKey& key : traits.facts().configuration().keys()) {
    const ConfigKeyClass& row = ClassOf(key.section(), key.name());
    if (row.key_class == KeyClass::kMustDiffer) continue;
    traits.Add(absl::StrCat("configuration.", KeyIdentity(key)),
               {KeyText(&key, row.otherwise), row.key_class == KeyClass::kMayDiffer ? "" : kRule,
                true, row.otherwise == nullptr ? "not set" : row.otherwise,
                absl::StrCat("configuration.", KeyName(key)), AsRead(key, row.otherwise),
                key.has_secret_digest()});
  }
}

void AddEncryptionKey(Collector& traits) {
  constexpr const char* kPath = "encryption_key.fingerprint";
  constexpr const char* kRule = "encryption-key-matches";
  const std::string& fingerprint = traits.facts().encryption_key().fingerprint();
  if (!traits.Known(kPath, kRule) || fingerprint.empty()) return;
  Trait trait = {FirstCharacters(fingerprint, kDigitsShown), kRule};
  trait.is_digest = true;
  traits.Add(kPath, trait);
}

void AddDatabase(Collector& traits) {
  constexpr const char* kRule = "database-is-same";
  const v1::DatabaseFacts& database = traits.facts().database();
  traits.AddKnown("database.system_identifier", database.system_identifier(), kRule);
  traits.AddKnown("database.database", database.database(), kRule);
  traits.AddKnown("database.current_schema", database.current_schema(), kRule);
  traits.AddKnown("database.ssl_mode", database.ssl_mode(), "database-connection-encrypted");
  traits.AddKnown("database.host", database.host(), "");
}

const char* DirectoryRule(const std::string& key) {
  if (key == "Server.DataDir") return "data-dir-is-shared";
  if (key == "Database.Dir") return "database-dir-is-shared";
  return key == "Server.LandingDir" ? "landing-dir-is-shared" : "";
}

void AddStorage(Collector& traits) {
  if (!traits.Known("storage", "data-dir-is-shared")) return;
  for (const v1::DataDirectory& directory : traits.facts().storage().directories()) {
    const v1::Mount* mount = FindMount(traits.facts(), directory.mount_point());
    if (mount == nullptr || *DirectoryRule(directory.key()) == '\0') continue;
    const std::string place = ReachOf(mount->fs_type()) == Reach::kLocal
                                  ? absl::StrCat(directory.resolved(), " on a local disk")
                                  : PlaceOf(*mount, directory.path_in_source()).Text();
    traits.Add(absl::StrCat("storage.", directory.key()), place, DirectoryRule(directory.key()));
  }
}

}  // namespace

Traits TraitsOf(const v1::NodeSnapshot& node) {
  Collector traits(node);
  traits.Add("agent_version", node.agent_version(), "agent-version-matches");
  AddHost(traits);
  AddConnect(traits);
  AddAccounts(traits);
  AddRuntimes(traits);
  AddConfiguration(traits);
  AddEncryptionKey(traits);
  AddDatabase(traits);
  AddStorage(traits);
  return traits.Take();
}

}  // namespace connect_ha
