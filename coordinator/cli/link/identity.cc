#include "coordinator/cli/link/identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr char kKey[] = "/admin.key";

// 0, or why the identity's key cannot be read.
int KeyError(const std::string& dir) {
  const int key = open((dir + kKey).c_str(), O_RDONLY | O_CLOEXEC);
  if (key < 0) return errno;
  close(key);
  return 0;
}

absl::Status Refused(const std::string& dir, int error) {
  const std::string what = absl::StrCat("cannot read ", dir, kKey, ": ", std::strerror(error));
  if (error == EACCES) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, "; fix: run the same with sudo, or as the user the identity was given to"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(what, "; fix: copy ", kCoordinatorsOwn, " from the coordinator to ", dir));
}

}  // namespace

absl::StatusOr<std::string> FindIdentity(
    const std::string& given, const std::function<std::string(const std::string&)>& variable) {
  const std::string named = given.empty() ? variable("CONNECT_HA_IDENTITY") : given;
  if (!named.empty()) {
    if (const int error = KeyError(named); error != 0) return Refused(named, error);
    return named;
  }
  std::vector<std::string> places = {kCoordinatorsOwn};
  const std::string home = variable("HOME");
  if (!home.empty()) places.insert(places.begin(), home + "/.config/connect-ha");
  for (const std::string& dir : places) {
    const int error = KeyError(dir);
    if (error == 0) return dir;
    if (error != ENOENT && error != ENOTDIR) return Refused(dir, error);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "no admin's certificate: there is none in ", places.front(),
      places.size() > 1 ? absl::StrCat(" or ", places.back()) : "",
      "; fix: an admin makes you one: connect-ha admin create NAME --role ROLE; copy "
      "what it leaves to ~/.config/connect-ha. On a new coordinator: connect-ha init"));
}

}  // namespace connect_ha
