#include "coordinator/identity/init.h"

#include <arpa/inet.h>

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "common/tls/crypto.h"
#include "coordinator/identity/example_spec.h"

namespace connect_ha {
namespace {

constexpr size_t kDigestKeySize = 32;
constexpr char kCoordinatorName[] = "coordinator";
constexpr char kAdminName[] = "admin";

std::string Join(const std::string& dir, const char* name) { return absl::StrCat(dir, "/", name); }

absl::Status NotInitialised(const std::string& dir, const absl::Status& cause) {
  if (!absl::IsNotFound(cause)) return cause;
  return absl::NotFoundError(absl::StrCat("no cluster in ", dir, " (", std::string(cause.message()),
                                          "); fix: connect-ha init --dir ", dir,
                                          " --cluster NAME --address HOST:PORT"));
}

// As a certificate gives it back: names in lower case, IP addresses in their shortest form.
std::string CanonicalHost(const std::string& host) {
  unsigned char bytes[16];
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, host.c_str(), bytes) == 1) {
    return inet_ntop(AF_INET6, bytes, text, sizeof text);
  }
  return absl::AsciiStrToLower(host);
}

// One run of init: what it was asked for, and what it did.
class Initialisation {
 public:
  Initialisation(const InitOptions& options, Time now) : options_(options), now_(now) {}

  absl::StatusOr<InitResult> Run();

 private:
  absl::Status MakeLayout();
  absl::StatusOr<Authority> EnsureAuthority();
  absl::Status EnsureAddress();
  absl::Status EnsureCoordinator(const Authority& authority);
  absl::Status EnsureAdmin(const Authority& authority);
  absl::Status EnsureFile(const std::string& path, const std::string& content, mode_t mode);
  // As above, but a file with other content is replaced.
  absl::Status EnsureContent(const std::string& path, const std::string& content, mode_t mode);
  absl::Status IssuePair(const Authority& authority, const std::string& dir, const Subject& subject,
                         const std::string& behind);
  std::vector<std::string> WantedHosts(const std::vector<std::string>& present) const;
  absl::Status ReadHosts();

  const InitOptions& options_;
  const Time now_;
  Address address_;
  std::set<std::string> hosts_;
  InitResult result_;
};

bool StillGood(const CredentialPair& pair, const Authority& authority, const Certificate& parsed,
               Time now) {
  return parsed.not_after > now && parsed.identity.cluster == authority.cluster() &&
         VerifySignedBy(pair.certificate, authority.certificate()).ok();
}

absl::Status Initialisation::MakeLayout() {
  for (const char* name : {"", "/ca", "/tls", "/admin"}) {
    absl::Status status = MakeDirectories(options_.dir + name, 0700);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Initialisation::EnsureFile(const std::string& path, const std::string& content,
                                        mode_t mode) {
  if (FileExists(path)) {
    result_.kept.push_back(path);
    return absl::OkStatus();
  }
  result_.made.push_back(path);
  return WriteSmallFile(path, content, mode);
}

absl::Status Initialisation::EnsureContent(const std::string& path, const std::string& content,
                                           mode_t mode) {
  const auto present = ReadSmallFile(path);
  if (present.ok() && *present == content) {
    result_.kept.push_back(path);
    return absl::OkStatus();
  }
  result_.made.push_back(path);
  return WriteSmallFile(path, content, mode);
}

absl::StatusOr<Authority> Initialisation::EnsureAuthority() {
  const std::string path = options_.dir + "/ca/ca.crt";
  const auto present = LoadAuthority(options_.dir);
  if (present.ok()) {
    if (!options_.cluster.empty() && options_.cluster != present->cluster()) {
      return absl::FailedPreconditionError(absl::StrCat(
          options_.dir, " already holds the cluster \"", present->cluster(), "\", not \"",
          options_.cluster, "\"; fix: leave --cluster out, or choose another --dir"));
    }
    result_.kept.push_back(path);
    return Authority::Load(present->certificate(), present->key());
  }
  // Anything but "not there" is left for a person to look at: a CA is never replaced.
  if (!absl::IsNotFound(present.status()) || FileExists(path)) return present.status();
  if (options_.cluster.empty()) {
    return absl::InvalidArgumentError(
        "the cluster has no name yet; fix: connect-ha init --cluster NAME");
  }
  auto made = Authority::Create(options_.cluster, now_);
  if (!made.ok()) return made.status();
  absl::Status status =
      StoreCredentials(options_.dir + "/ca", "ca", {made->key(), made->certificate()});
  if (!status.ok()) return status;
  result_.made.push_back(path);
  return made;
}

absl::Status Initialisation::EnsureAddress() {
  const std::string path = Join(options_.dir, "coordinator");
  std::string text = options_.address;
  if (text.empty()) {
    const auto present = ReadSmallFile(path);
    if (!present.ok()) {
      return absl::InvalidArgumentError(
          "no address that nodes can reach the coordinator at; fix: connect-ha init "
          "--address HOST:PORT");
    }
    text = std::string(absl::StripAsciiWhitespace(*present));
  }
  const auto address = ParseAddress(text);
  if (!address.ok()) return address.status();
  address_ = *address;
  result_.address = FormatAddress(address_);
  return EnsureContent(path, result_.address + "\n", 0644);
}

absl::Status Initialisation::ReadHosts() {
  hosts_ = {CanonicalHost(address_.host), "localhost", "127.0.0.1", "::1"};
  for (const std::string& text : options_.hosts) {
    const auto host = ParseAddress(text);
    if (!host.ok()) return host.status();
    hosts_.insert(CanonicalHost(host->host));
  }
  return absl::OkStatus();
}

std::vector<std::string> Initialisation::WantedHosts(
    const std::vector<std::string>& present) const {
  std::set<std::string> hosts(present.begin(), present.end());
  hosts.insert(hosts_.begin(), hosts_.end());
  return {hosts.begin(), hosts.end()};
}

absl::Status Initialisation::IssuePair(const Authority& authority, const std::string& dir,
                                       const Subject& subject, const std::string& behind) {
  const auto key = MakeKey();
  if (!key.ok()) return key.status();
  const auto csr = MakeCsr(*key);
  if (!csr.ok()) return csr.status();
  const auto certificate = authority.Issue(subject, *csr, now_);
  if (!certificate.ok()) return certificate.status();
  result_.made.push_back(absl::StrCat(dir, "/", subject.identity.name, ".crt"));
  return StoreCredentials(dir, subject.identity.name, {*key, *certificate + behind});
}

absl::Status Initialisation::EnsureCoordinator(const Authority& authority) {
  const std::string dir = Join(options_.dir, "tls");
  Subject subject{{authority.cluster(), Role::kCoordinator, kCoordinatorName}, WantedHosts({})};
  const auto pair = LoadCredentials(dir, kCoordinatorName);
  if (pair.ok()) {
    const auto parsed = ParseCertificate(pair->certificate);
    if (parsed.ok()) subject.hosts = WantedHosts(parsed->hosts);
    if (parsed.ok() && StillGood(*pair, authority, *parsed, now_) &&
        subject.hosts.size() == parsed->hosts.size()) {
      result_.kept.push_back(Join(dir, "coordinator.crt"));
      return absl::OkStatus();
    }
  }
  return IssuePair(authority, dir, subject, authority.certificate());
}

absl::Status Initialisation::EnsureAdmin(const Authority& authority) {
  const std::string dir = Join(options_.dir, "admin");
  const Subject subject{{authority.cluster(), Role::kAdmin, kAdminName}, {}};
  const auto pair = LoadCredentials(dir, kAdminName);
  const auto parsed =
      pair.ok() ? ParseCertificate(pair->certificate) : absl::StatusOr<Certificate>(pair.status());
  if (parsed.ok() && StillGood(*pair, authority, *parsed, now_)) {
    result_.kept.push_back(Join(dir, "admin.crt"));
  } else {
    absl::Status status = IssuePair(authority, dir, subject, "");
    if (!status.ok()) return status;
  }
  absl::Status status = EnsureContent(Join(dir, "ca.crt"), authority.certificate(), 0644);
  if (!status.ok()) return status;
  return EnsureContent(Join(dir, "coordinator"), result_.address + "\n", 0644);
}

absl::StatusOr<InitResult> Initialisation::Run() {
  if (absl::Status status = MakeLayout(); !status.ok()) return status;
  if (absl::Status status = EnsureAddress(); !status.ok()) return status;
  if (absl::Status status = ReadHosts(); !status.ok()) return status;
  const auto authority = EnsureAuthority();
  if (!authority.ok()) return authority.status();
  result_.cluster = authority->cluster();
  result_.ca_hash = authority->hash();
  const std::string digest_key = RandomBytes(kDigestKeySize);
  absl::Status status = EnsureFile(Join(options_.dir, "digest.key"), digest_key, 0600);
  if (status.ok()) status = EnsureCoordinator(*authority);
  if (status.ok()) status = EnsureAdmin(*authority);
  if (status.ok() && !options_.spec.empty()) {
    const size_t slash = options_.spec.rfind('/');
    if (slash != std::string::npos && slash > 0) {
      status = MakeDirectories(options_.spec.substr(0, slash), 0755);
    }
    if (status.ok()) {
      status = EnsureFile(options_.spec, ExampleSpec(authority->cluster()), 0644);
    }
  }
  if (!status.ok()) return status;
  return result_;
}

}  // namespace

absl::StatusOr<InitResult> InitCluster(const InitOptions& options, Time now) {
  return Initialisation(options, now).Run();
}

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
