// Which resources a specification asks for, in the order in which they are made so: what must hold
// before anything is installed first, what needs Connect's package last.
#include <map>

#include "absl/strings/str_cat.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/nouns.h"

namespace connect_ha {
namespace {

constexpr char kConnectPackage[] = "rstudio-connect";

using Resources = std::vector<std::unique_ptr<Resource>>;

void AddConnectUnit(const ResourceContext& context, Resources& resources) {
  // Where nothing is enforced, a Connect that runs is as it should be.
  if (context.desired.spec().enforcement() != v1::ENFORCE) return;
  resources.push_back(MakeConnectUnit(context));
}

// Before any package, whose scripts would make them with the next free ids.
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
  resources.push_back(MakePackage(context, {kConnectPackage, connect.version(), connect.package(),
                                            connect.allow_downgrade(), "Connect must be stopped"}));
}

void AddRuntimes(const ResourceContext& context, Resources& resources) {
  const v1::RuntimesSpec& runtimes = context.desired.spec().runtimes();
  const auto add = [&](const char* prefix, const v1::RuntimeSpec& runtime) {
    if (!runtime.has_package()) return;
    resources.push_back(MakePackage(
        context, {absl::StrCat(prefix, runtime.version()), "", runtime.package(), false, ""}));
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
  if (NeedsPackages(context.desired.spec())) {
    absl::Status able = CheckPackageManager(context.host);
    if (!able.ok()) return able;
  }
  Resources resources;
  for (const auto add : kTable) add(context, resources);
  return resources;
}

}  // namespace connect_ha
