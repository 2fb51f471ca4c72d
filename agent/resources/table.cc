// Which resources a specification asks for, in the order in which they are made so. What one has to
// wait for it says itself (After); where it waits for nothing that is in trouble, it goes on.
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/nouns.h"
#include "agent/resources/storage/mount_plan.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

using Resources = std::vector<std::unique_ptr<Resource>>;

void AddConnectUnit(const ResourceContext& context, Resources& resources) {
  // Where nothing is enforced, a Connect that runs is as it should be.
  if (context.desired.spec().enforcement() != v1::ENFORCE) return;
  resources.push_back(MakeConnectUnit(context));
}

// Where nothing is enforced, who built the node guards it. What names no cluster was never applied,
// and there is nothing to mark a file system with.
bool HasGuard(const v1::ClusterSpec& spec) {
  return spec.enforcement() == v1::ENFORCE && !spec.cluster().empty() &&
         !spec.storage().mount_point().empty();
}

// Before Connect's package, whose scripts start Connect where nothing keeps them from it.
void AddGuard(const ResourceContext& context, Resources& resources) {
  if (HasGuard(context.desired.spec())) resources.push_back(MakeGuard(context));
}

// Last of what a start asks for.
void AddMark(const ResourceContext& context, Resources& resources) {
  if (HasGuard(context.desired.spec())) resources.push_back(MakeMark(context));
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

// Without the file system nothing else is of use, and a server that is away holds nothing up.
void AddStorage(const ResourceContext& context, Resources& resources) {
  const v1::StorageSpec& storage = context.desired.spec().storage();
  if (storage.has_efs_utils()) {
    resources.push_back(MakePackage(
        context, {kEfsUtilsPackage, "", storage.efs_utils(), false, "", {"unit", "packages"}}));
  }
  if (SaysWhatToMount(storage)) resources.push_back(MakeMount(context));
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

void AddDataDirectory(const ResourceContext& context, Resources& resources) {
  if (context.desired.spec().storage().has_owner()) {
    resources.push_back(MakeDataDirectory(context));
  }
}

void AddPrune(const ResourceContext& context, Resources& resources) {
  if (context.desired.spec().runtimes().prune()) resources.push_back(MakePrune(context));
}

constexpr void (*kTable[])(const ResourceContext&, Resources&) = {
    AddConnectUnit, AddGuard,   AddAccounts,      AddLeftovers,     AddStorage, AddConnect,
    AddRuntimes,    AddLicense, AddConfiguration, AddDataDirectory, AddMark,    AddPrune,
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

// Where something is mounted, or made, by it.
absl::Status CheckStorageForms(const v1::StorageSpec& storage) {
  const v1::OwnerSpec& owner = storage.owner();
  absl::Status right = CheckArtifact(storage.has_efs_utils(), storage.efs_utils());
  const auto check = [&right](bool holds, const char* what, const std::string& value) {
    if (right.ok()) right = CheckForm(holds, what, value);
  };
  if (!storage.mount_point().empty() || SaysWhatToMount(storage) || storage.has_owner()) {
    check(IsMountPoint(storage.mount_point()), "a mount point", storage.mount_point());
  }
  if (storage.has_efs()) {
    const v1::EfsSpec& efs = storage.efs();
    check(IsFileSystemId(efs.file_system()), "an EFS file system", efs.file_system());
    check(efs.region().empty() || IsRegion(efs.region()), "a region", efs.region());
    check(!efs.has_access_point() || IsAccessPointId(efs.access_point()), "an access point",
          efs.access_point());
  }
  if (storage.has_nfs()) {
    const v1::NfsSpec& nfs = storage.nfs();
    check(IsHostName(nfs.server()), "a server", nfs.server());
    check(!nfs.has_export_() || IsPlainPath(nfs.export_()), "an export", nfs.export_());
    check(!absl::EndsWith(nfs.export_(), "\\"), "an export", nfs.export_());
    check(!nfs.has_port() || (nfs.port() > 0 && nfs.port() < 65536), "a port",
          absl::StrCat(nfs.port()));
  }
  check(!owner.has_user() || IsAccountName(owner.user()), "an owner", owner.user());
  check(!owner.has_group() || IsAccountName(owner.group()), "a group", owner.group());
  check(!owner.has_mode() || IsFileMode(owner.mode()), "a mode", owner.mode());
  return right;
}

absl::Status CheckForms(const v1::ClusterSpec& spec) {
  absl::Status right = CheckArtifact(spec.connect().has_package(), spec.connect().package());
  if (right.ok()) right = CheckStorageForms(spec.storage());
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
  if (spec.connect().has_package() || spec.storage().has_efs_utils()) return true;
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
