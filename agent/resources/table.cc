// Which resources a specification asks for, in the order in which they are made so. What one has to
// wait for it says itself (After); where it waits for nothing that is in trouble, it goes on.
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/nouns.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

using Resources = std::vector<std::unique_ptr<Resource>>;

void AddConnectUnit(const ResourceContext& context, Resources& resources) {
  // Where nothing is enforced, a Connect that runs is as it should be.
  if (context.desired.spec().enforcement() != v1::ENFORCE) return;
  resources.push_back(MakeConnectUnit(context));
}

// Before Connect's package, whose scripts would make them with the next free ids.
void AddAccounts(const ResourceContext& context, Resources& resources) {
  const auto& accounts = context.desired.spec().accounts();
  const std::map<std::string, v1::AccountSpec> sorted(accounts.begin(), accounts.end());
  for (const auto& [name, spec] : sorted) {
    resources.push_back(MakeAccount(context, name, spec));
  }
}

// Before any package: apt would try each time to configure what an older one left unconfigured.
void AddLeftovers(const ResourceContext& context, Resources& resources) {
  resources.push_back(MakeLeftovers(context));
}

void AddConnect(const ResourceContext& context, Resources& resources) {
  const v1::ConnectSpec& connect = context.desired.spec().connect();
  if (!connect.has_package()) return;
  resources.push_back(MakePackage(context, {kConnectPackage,
                                            connect.version(),
                                            connect.package(),
                                            connect.allow_downgrade(),
                                            "Connect must be stopped",
                                            {"unit", "account", "packages"}}));
}

void AddRuntimes(const ResourceContext& context, Resources& resources) {
  const v1::RuntimesSpec& runtimes = context.desired.spec().runtimes();
  const auto add = [&](const char* prefix, const v1::RuntimeSpec& runtime) {
    if (!runtime.has_package()) return;
    resources.push_back(MakePackage(context, {absl::StrCat(prefix, runtime.version()),
                                              "",
                                              runtime.package(),
                                              false,
                                              "",
                                              {"unit", "packages"}}));
  };
  for (const v1::RuntimeSpec& runtime : runtimes.r()) add("r-", runtime);
  for (const v1::RuntimeSpec& runtime : runtimes.python()) add("python-", runtime);
  for (const v1::RuntimeSpec& runtime : runtimes.quarto()) {
    if (runtime.has_archive()) resources.push_back(MakeArchive(context, runtime));
  }
}

void AddLicense(const ResourceContext& context, Resources& resources) {
  if (context.desired.has_license()) resources.push_back(MakeLicense(context));
}

void AddConfiguration(const ResourceContext& context, Resources& resources) {
  if (context.desired.has_connect_config()) resources.push_back(MakeConfiguration(context));
}

void AddPrune(const ResourceContext& context, Resources& resources) {
  if (context.desired.spec().runtimes().prune()) resources.push_back(MakePrune(context));
}

constexpr void (*kTable[])(const ResourceContext&, Resources&) = {
    AddConnectUnit, AddAccounts, AddLeftovers,     AddConnect,
    AddRuntimes,    AddLicense,  AddConfiguration, AddPrune,
};

// What becomes a part of a path, of a unit's or a package's name, or an argument has the form that
// check-config asks for, whoever sent it.
absl::Status CheckForm(bool holds, const std::string& what, const std::string& value) {
  if (holds) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the specification names ", what, " \"",
                                                 absl::CHexEscape(value.substr(0, 80)),
                                                 "\"\nfix: connect-ha check-config cluster.yaml"));
}

absl::Status CheckArtifact(bool given, const v1::Artifact& artifact) {
  const std::string sha256 = absl::AsciiStrToLower(artifact.sha256());
  return CheckForm(!given || IsSha256(sha256), "an artifact's sha256", artifact.sha256());
}

absl::Status CheckForms(const v1::ClusterSpec& spec) {
  absl::Status right = CheckArtifact(spec.connect().has_package(), spec.connect().package());
  for (const auto& [name, unused] : spec.accounts()) {
    if (right.ok()) right = CheckForm(IsAccountName(name), "an account", name);
  }
  for (const auto* runtimes :
       {&spec.runtimes().r(), &spec.runtimes().python(), &spec.runtimes().quarto()}) {
    for (const v1::RuntimeSpec& runtime : *runtimes) {
      if (right.ok())
        right = CheckForm(IsFullVersion(runtime.version()), "a version", runtime.version());
      if (right.ok()) right = CheckArtifact(runtime.has_package(), runtime.package());
      if (right.ok()) right = CheckArtifact(runtime.has_archive(), runtime.archive());
    }
  }
  return right;
}

bool NeedsPackages(const v1::ClusterSpec& spec) {
  if (spec.connect().has_package()) return true;
  for (const v1::RuntimeSpec& runtime : spec.runtimes().r()) {
    if (runtime.has_package()) return true;
  }
  for (const v1::RuntimeSpec& runtime : spec.runtimes().python()) {
    if (runtime.has_package()) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<Resource>>> MakeResources(
    const ResourceContext& context) {
  absl::Status right = CheckForms(context.desired.spec());
  if (!right.ok()) return right;
  if (NeedsPackages(context.desired.spec())) {
    absl::Status able = CheckPackageManager(context.host);
    if (!able.ok()) return able;
  }
  Resources resources;
  for (const auto add : kTable) add(context, resources);
  return resources;
}

}  // namespace connect_ha
