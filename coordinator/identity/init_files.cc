// The files that init made, as the coordinator and init itself read them.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/text/shell_word.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "coordinator/identity/init.h"

namespace connect_ha {
namespace {

constexpr size_t kDigestKeySize = 32;
constexpr char kCoordinatorName[] = "coordinator";

absl::Status NotInitialised(const std::string& dir, const absl::Status& cause) {
  if (!absl::IsNotFound(cause)) return cause;
  return absl::NotFoundError(absl::StrCat("no cluster in ", dir, " (", std::string(cause.message()),
                                          "); fix: connect-ha init --dir ", ShellWord(dir),
                                          " --cluster NAME --address HOST:PORT"));
}

}  // namespace

std::string FirstAdminPath(const std::string& dir) { return dir + "/first-admin.crt"; }

std::string NewClusterPath(const std::string& dir) { return dir + "/new-cluster"; }

absl::StatusOr<Authority> LoadAuthority(const std::string& dir) {
  const auto pair = LoadCredentials(dir + "/ca", "ca");
  if (!pair.ok()) return NotInitialised(dir, pair.status());
  return Authority::Load(pair->certificate, pair->key);
}

absl::StatusOr<CoordinatorFiles> LoadCoordinatorFiles(const std::string& dir) {
  const auto pair = LoadCredentials(dir + "/tls", kCoordinatorName);
  if (!pair.ok()) return NotInitialised(dir, pair.status());
  const auto ca = ReadSmallFile(dir + "/ca/ca.crt");
  if (!ca.ok()) return NotInitialised(dir, ca.status());
  const auto digest_key = ReadSmallFile(dir + "/digest.key");
  if (!digest_key.ok()) return NotInitialised(dir, digest_key.status());
  const auto address = ReadSmallFile(dir + "/coordinator");
  if (!address.ok()) return NotInitialised(dir, address.status());
  if (digest_key->size() != kDigestKeySize) {
    return absl::FailedPreconditionError(
        absl::StrCat(dir, "/digest.key holds ", digest_key->size(), " bytes, not 32"));
  }
  return CoordinatorFiles{std::string(absl::StripAsciiWhitespace(*address)), pair->certificate,
                          pair->key, *ca, *digest_key};
}

absl::StatusOr<bool> RenewCoordinatorCertificate(const std::string& dir, const Authority& authority,
                                                 Time now) {
  const auto pair = LoadCredentials(dir + "/tls", kCoordinatorName);
  if (!pair.ok()) return NotInitialised(dir, pair.status());
  const auto present = ParseCertificate(pair->certificate);
  if (!present.ok()) return present.status();
  if (now < RenewalTime(*present)) return false;
  const auto csr = MakeCsr(pair->key);
  if (!csr.ok()) return csr.status();
  const auto renewed = authority.Issue({present->identity, present->hosts}, *csr, now);
  if (!renewed.ok()) return renewed.status();
  absl::Status status =
      WriteSmallFile(dir + "/tls/coordinator.crt", *renewed + authority.certificate(), 0600);
  if (!status.ok()) return status;
  return true;
}

}  // namespace connect_ha
