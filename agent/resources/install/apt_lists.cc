#include "agent/resources/install/apt_lists.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/other_packages.h"

namespace connect_ha {
namespace {

constexpr char kArchives[] = "/var/cache/apt/archives";

absl::StatusOr<std::vector<std::string>> FetchedPackages(Host& host) {
  std::vector<std::string> packages;
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(kArchives);
  if (absl::IsNotFound(names.status())) return packages;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (absl::EndsWith(name, ".deb")) packages.push_back(absl::StrCat(kArchives, "/", name));
  }
  return packages;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FetchOthers(const ResourceContext& context,
                                                     const AptInstall& install,
                                                     const std::string& digest,
                                                     Progress& progress) {
  const absl::StatusOr<OtherPackages> others = SimulateInstall(context, install);
  // By lists that are too old apt sees no way.
  if (!others.ok() && !absl::IsFailedPrecondition(others.status())) return others.status();
  if (others.ok() && others->installed.empty() && others->upgraded.empty()) {
    return std::vector<std::string>();
  }
  Installation fetching;
  fetching.service = InstallerService("fetch", digest);
  fetching.description = absl::StrCat("fetch what ", install.package, " comes with");
  fetching.commands = {AptFetch(install)};
  fetching.touches_connect = false;
  absl::Status fetched = Install(context, fetching, progress);
  if (absl::IsNotFound(fetched)) {
    fetched = RenewLists(context, install.package, digest, progress);
    if (!fetched.ok()) return fetched;
    fetched = NeedsMirror(Install(context, fetching, progress), install.package);
  }
  if (!fetched.ok()) return fetched;
  return FetchedPackages(context.host);
}

absl::Status RenewLists(const ResourceContext& context, const std::string& package,
                        const std::string& digest, Progress& progress) {
  Installation lists;
  lists.service = InstallerService("lists", digest);
  lists.description = absl::StrCat("renew apt's lists for ", package);
  lists.commands = {AptUpdate()};
  lists.touches_connect = false;
  return Install(context, lists, progress);
}

absl::Status NeedsMirror(const absl::Status& status, const std::string& package) {
  if (!absl::IsNotFound(status)) return status;
  return absl::FailedPreconditionError(
      absl::StrCat(status.message(), "\nfix: give the node's apt a mirror that has what ", package,
                   " depends on"));
}

}  // namespace connect_ha
