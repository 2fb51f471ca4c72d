#include "agent/probes/machine/accounts.h"

#include <algorithm>

#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

// User and primary group that Connect's package makes, and the default of both settings below
// (Connect Admin Guide, "High Availability").
constexpr char kPackageAccount[] = "rstudio-connect";
constexpr char kPackageRole[] = "package";
constexpr char kSpecificationRole[] = "specification";

// A name and why it matters.
struct Wanted {
  std::string name;
  std::string role;
};

// The one that is configured and the package's: one entry when they are the same.
std::vector<Wanted> List(const std::string& configured, const std::string& key) {
  if (configured == kPackageAccount) return {{configured, key + ", " + kPackageRole}};
  return {{configured, key}, {kPackageAccount, kPackageRole}};
}

// What the specification names too, and the list has not yet.
void AddOfSpecification(const std::vector<std::string>& names, std::vector<Wanted>& list) {
  for (const std::string& name : names) {
    const bool listed = std::any_of(list.begin(), list.end(),
                                    [&name](const Wanted& wanted) { return wanted.name == name; });
    if (!listed) list.push_back({name, kSpecificationRole});
  }
}

absl::StatusOr<std::string> Configured(const ProbeInput& input, const std::string& name) {
  if (!input.config) {
    if (!input.config_status.ok()) return input.config_status;
    return std::string(kPackageAccount);
  }
  const std::string value = input.config->Get("Applications", name).value_or("");
  return value.empty() ? kPackageAccount : value;
}

absl::Status AddAccount(Host& host, const Wanted& wanted, v1::AccountsFacts& accounts) {
  const absl::StatusOr<UserEntry> user = host.LookUpUser(wanted.name);
  if (!user.ok() && !absl::IsNotFound(user.status())) return user.status();
  v1::Account& account = *accounts.add_accounts();
  account.set_name(wanted.name);
  account.set_role(wanted.role);
  if (!user.ok()) return absl::OkStatus();
  account.set_uid(user->uid);
  account.set_gid(user->gid);
  if (!user->primary_group.empty()) account.set_primary_group(user->primary_group);
  for (const uint32_t group : user->groups) account.add_groups(group);
  return absl::OkStatus();
}

absl::Status AddGroup(Host& host, const Wanted& wanted, v1::AccountsFacts& accounts) {
  const absl::StatusOr<uint32_t> gid = host.LookUpGroup(wanted.name);
  if (!gid.ok() && !absl::IsNotFound(gid.status())) return gid.status();
  v1::Group& group = *accounts.add_groups();
  group.set_name(wanted.name);
  group.set_role(wanted.role);
  if (gid.ok()) group.set_gid(*gid);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> RunAsAccount(const ProbeInput& input) {
  return Configured(input, "RunAs");
}

// An account that cannot be looked up fails the whole probe: listed without ids it would read as
// one that does not exist.
absl::Status ReadAccounts(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::string> run_as = RunAsAccount(input);
  if (!run_as.ok()) return run_as.status();
  const absl::StatusOr<std::string> group = Configured(input, "SharedRunAsUnixGroup");
  if (!group.ok()) return group.status();
  v1::AccountsFacts& accounts = *facts.mutable_accounts();
  std::vector<Wanted> users = List(*run_as, "Applications.RunAs");
  AddOfSpecification(input.accounts, users);
  for (const Wanted& wanted : users) {
    absl::Status status = AddAccount(input.host, wanted, accounts);
    if (!status.ok()) return status;
  }
  for (const Wanted& wanted : List(*group, "Applications.SharedRunAsUnixGroup")) {
    absl::Status status = AddGroup(input.host, wanted, accounts);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
