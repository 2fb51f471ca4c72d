#include "common/tls/identity.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr absl::string_view kScheme = "connect-ha://";
constexpr size_t kMaxNameSize = 63;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

std::string RoleName(Role role) {
  switch (role) {
    case Role::kNode:
      return "node";
    case Role::kAdmin:
      return "admin";
    case Role::kCoordinator:
      return "coordinator";
  }
  return "";
}

std::string FormatIdentity(const Identity& identity) {
  return absl::StrCat(kScheme, identity.cluster, "/", RoleName(identity.role), "/", identity.name);
}

absl::StatusOr<Identity> ParseIdentityUri(std::string_view uri) {
  const auto error = absl::InvalidArgumentError(
      "the certificate's URI is not connect-ha://CLUSTER/ROLE/NAME: it is none of this project's");
  absl::string_view rest(uri.data(), uri.size());
  if (!absl::ConsumePrefix(&rest, kScheme)) return error;
  const std::vector<std::string> parts = absl::StrSplit(rest, '/');
  if (parts.size() != 3 || !CheckName("cluster", parts[0]).ok() ||
      !CheckName("name", parts[2]).ok()) {
    return error;
  }
  for (const Role role : {Role::kNode, Role::kAdmin, Role::kCoordinator}) {
    if (parts[1] == RoleName(role)) return Identity{parts[0], role, parts[2]};
  }
  return error;
}

std::string FormatActor(const Identity& identity) {
  return absl::StrCat(RoleName(identity.role), "/", identity.name);
}

absl::Status CheckName(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameSize &&
      std::all_of(name.begin(), name.end(), IsNameCharacter) && name.front() != '-' &&
      name.back() != '-') {
    return absl::OkStatus();
  }
  // What was given may come from anywhere: only its harmless characters are repeated.
  std::string shown(name.substr(0, kMaxNameSize + 1));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
  return absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(what.data(), what.size()), " \"", shown,
                   "\" is not valid; fix: use 1 to 63 of a-z, 0-9 and -, with no - at either end"));
}

}  // namespace connect_ha
