#include "agent/host/errors.h"

#include <cctype>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace connect_ha {

absl::Status ErrnoStatus(int error, const std::string& what) {
  std::string why = std::generic_category().message(error);
  if (why.size() > 1 && std::islower(static_cast<unsigned char>(why[1])) != 0) {
    why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  }
  const std::string message = absl::StrCat(what, ": ", why);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace connect_ha
