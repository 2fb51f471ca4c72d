#include "coordinator/identity/init.h"

#include <arpa/inet.h>

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "coordinator/identity/example_spec.h"

namespace connect_ha {
namespace {

constexpr char kCoordinatorName[] = "coordinator";
constexpr uint16_t kLastPort = 65535;

std::string Join(const std::string& dir, const char* name) { return absl::StrCat(dir, "/", name); }

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
  absl::Status IssueFirstAdmin(const Authority& authority, const std::string& dir);
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
  absl::Status status = WriteSmallFile(NewClusterPath(options_.dir), "", 0600);
  if (status.ok()) {
    status = StoreCredentials(options_.dir + "/ca", "ca", {made->key(), made->certificate()});
  }
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
  if (address_.port == kLastPort) {
    return absl::InvalidArgumentError(
        "nodes join at the port behind the coordinator's, and 65535 has none; fix: give --address "
        "another port");
  }
  result_.address = FormatAddress(address_);
  result_.join_address = FormatAddress(EnrolmentAddress(address_));
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

// While FirstAdminPath is not there, the run after this one issues anew.
absl::Status Initialisation::IssueFirstAdmin(const Authority& authority, const std::string& dir) {
  const std::string first = FirstAdminPath(options_.dir);
  absl::Status status = RemoveFile(first);
  if (status.ok()) {
    status = IssuePair(authority, dir, {{authority.cluster(), Role::kAdmin, kFirstAdmin}, {}}, "");
  }
  if (!status.ok()) return status;
  const auto pair = LoadCredentials(dir, kFirstAdmin);
  return pair.ok() ? WriteSmallFile(first, pair->certificate, 0600) : pair.status();
}

absl::Status Initialisation::EnsureAdmin(const Authority& authority) {
  const std::string dir = Join(options_.dir, "admin");
  const auto pair = LoadCredentials(dir, kFirstAdmin);
  const auto parsed =
      pair.ok() ? ParseCertificate(pair->certificate) : absl::StatusOr<Certificate>(pair.status());
  if (parsed.ok() && StillGood(*pair, authority, *parsed, now_) &&
      FileExists(FirstAdminPath(options_.dir))) {
    result_.kept.push_back(Join(dir, "admin.crt"));
  } else if (absl::Status status = IssueFirstAdmin(authority, dir); !status.ok()) {
    return status;
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
  const auto digest_key = authority->DigestKey();
  if (!digest_key.ok()) return digest_key.status();
  absl::Status status = EnsureFile(Join(options_.dir, "digest.key"), *digest_key, 0600);
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

}  // namespace connect_ha
