#include "agent/host/errors.h"

#include <cctype>
#include <cerrno>
#include <system_error>

#include "absl/strings/match.h"
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

absl::Status ChangeStatus(int error, const std::string& what) {
  const absl::Status status = ErrnoStatus(error, what);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(status.message());
    case EEXIST:
      return absl::AlreadyExistsError(status.message());
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
    case ELOOP:
    case EROFS:
    case EXDEV:
    case EINVAL:
    case ENAMETOOLONG:
      return absl::FailedPreconditionError(status.message());
    default:
      return status;
  }
}

// By its words, since they alone come from another process.
bool IsStale(const absl::Status& status) {
  return absl::EndsWith(status.message(), ErrnoStatus(ESTALE, "").message());
}

}  // namespace connect_ha
