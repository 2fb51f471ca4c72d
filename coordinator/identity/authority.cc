#include "coordinator/identity/authority.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/tls/certificate.h"
#include "common/tls/crypto.h"
#include "common/tls/openssl.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kAuthorityLife{10 * 365 * 24};
constexpr size_t kSerialSize = 16;
constexpr int kSecretSize = 32;  // of a P-256 key: its number
constexpr char kDigestKeyWords[] = "connect-ha digest key 1";

using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using SecretNumberHandle = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using NameHandle = std::unique_ptr<GENERAL_NAME, Freer<GENERAL_NAME_free>>;

bool SetTime(ASN1_TIME* field, Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  return ASN1_TIME_set(field, static_cast<time_t>(seconds.count())) != nullptr;
}

bool SetSerial(X509* certificate) {
  std::string bytes = RandomBytes(kSerialSize);
  bytes[0] = static_cast<char>((bytes[0] & 0x7f) | 0x40);  // positive, and always as long
  const BnHandle number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                  static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool AddName(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// `value` is written in this file, never by a caller: OpenSSL reads it as configuration.
bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

NameHandle MakeTextName(int type, const std::string& text) {
  NameHandle name(GENERAL_NAME_new());
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (name == nullptr || value == nullptr) return nullptr;
  ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  GENERAL_NAME_set0_value(name.get(), type, value);
  return name;
}

NameHandle MakeHostName(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  if (address == nullptr) return MakeTextName(GEN_DNS, host);
  NameHandle name(GENERAL_NAME_new());
  if (name != nullptr) GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
  return name;
}

bool AddSubjectNames(X509* certificate, const Subject& subject) {
  const NamesHandle names(GENERAL_NAMES_new());
  std::vector<NameHandle> parts;
  parts.push_back(MakeTextName(GEN_URI, FormatIdentity(subject.identity)));
  for (const std::string& host : subject.hosts) parts.push_back(MakeHostName(host));
  for (NameHandle& part : parts) {
    GENERAL_NAME* name = part.release();  // the list's from now on
    if (name == nullptr || sk_GENERAL_NAME_push(names.get(), name) <= 0) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

absl::Status CheckSubject(const Subject& subject, const std::string& cluster) {
  if (subject.identity.cluster != cluster) {
    return absl::InvalidArgumentError(
        absl::StrCat("this authority is of the cluster \"", cluster, "\", no other"));
  }
  return CheckName(RoleName(subject.identity.role) + " name", subject.identity.name);
}

std::string Organization(X509* certificate) {
  char text[128] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_organizationName, text,
                            sizeof text);
  return text;
}

bool FillAuthority(X509* certificate, EVP_PKEY* key, const std::string& cluster, Time now) {
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_set_version(certificate, 2) == 1 && SetSerial(certificate) &&
         AddName(name, "O", cluster) && AddName(name, "CN", "connect-ha CA") &&
         X509_set_issuer_name(certificate, name) == 1 &&
         SetTime(X509_getm_notBefore(certificate), now - kClockAllowance) &&
         SetTime(X509_getm_notAfter(certificate), now + kAuthorityLife) &&
         X509_set_pubkey(certificate, key) == 1 &&
         AddExtension(certificate, certificate, NID_basic_constraints,
                      "critical,CA:TRUE,pathlen:0") &&
         AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         AddExtension(certificate, certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool FillLeaf(X509* certificate, X509* issuer, EVP_PKEY* key, const Subject& subject, Time now,
              Time until) {
  const bool serves = subject.identity.role == Role::kCoordinator;
  return X509_set_version(certificate, 2) == 1 && SetSerial(certificate) &&
         AddName(X509_get_subject_name(certificate), "O", subject.identity.cluster) &&
         AddName(X509_get_subject_name(certificate), "CN", subject.identity.name) &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         SetTime(X509_getm_notBefore(certificate), now - kClockAllowance) &&
         SetTime(X509_getm_notAfter(certificate), until) &&
         X509_set_pubkey(certificate, key) == 1 &&
         AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         AddExtension(certificate, issuer, NID_ext_key_usage,
                      serves ? "clientAuth,serverAuth" : "clientAuth") &&
         AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
         AddSubjectNames(certificate, subject);
}

}  // namespace

struct Authority::Handles {
  X509Handle certificate;
  KeyHandle key;
  Time not_after{};
};

Authority::Authority(std::unique_ptr<Handles> handles, std::string cluster, std::string certificate,
                     std::string key, std::string hash)
    : handles_(std::move(handles)),
      cluster_(std::move(cluster)),
      certificate_(std::move(certificate)),
      key_(std::move(key)),
      hash_(std::move(hash)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

absl::StatusOr<Authority> Authority::Create(const std::string& cluster, Time now) {
  if (absl::Status status = CheckName("cluster name", cluster); !status.ok()) return status;
  const auto key = MakeKey();
  if (!key.ok()) return key.status();
  const auto handle = ReadKey(*key);
  if (!handle.ok()) return handle.status();
  const X509Handle certificate(X509_new());
  if (certificate == nullptr || !FillAuthority(certificate.get(), handle->get(), cluster, now)) {
    return OpenSslError("cannot make the certificate authority");
  }
  return Load(WriteCertificate(certificate.get()), *key);
}

absl::StatusOr<Authority> Authority::Load(const std::string& certificate, const std::string& key) {
  auto x509 = ReadCertificate(certificate);
  if (!x509.ok()) return x509.status();
  auto key_handle = ReadKey(key);
  if (!key_handle.ok()) return key_handle.status();
  if (!KeyMatches(key, certificate) || X509_check_ca(x509->get()) != 1) {
    return absl::FailedPreconditionError(
        "the authority's certificate is no CA, or the key is not its own");
  }
  const auto not_after = ReadTime(X509_get0_notAfter(x509->get()));
  if (!not_after.ok()) return not_after.status();
  std::string cluster = Organization(x509->get());
  if (absl::Status status = CheckName("the authority's cluster", cluster); !status.ok()) {
    return status;
  }
  std::string hash = CertificateHash(x509->get());
  auto handles =
      std::make_unique<Handles>(Handles{*std::move(x509), *std::move(key_handle), *not_after});
  return Authority(std::move(handles), std::move(cluster), certificate, key, std::move(hash));
}

// From the number that the key is, and not from a file of it: the same key may be written in
// several ways.
absl::StatusOr<std::string> Authority::DigestKey() const {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(handles_->key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
    return OpenSslError("cannot derive the digest key");
  }
  const SecretNumberHandle secret(number);
  std::string bytes(kSecretSize, '\0');
  if (BN_bn2binpad(secret.get(), reinterpret_cast<unsigned char*>(bytes.data()), kSecretSize) !=
      kSecretSize) {
    return OpenSslError("cannot derive the digest key");
  }
  return HmacSha256(bytes, kDigestKeyWords);
}

absl::StatusOr<std::string> Authority::Issue(const Subject& subject, const std::string& csr_der,
                                             Time now) const {
  if (absl::Status status = CheckSubject(subject, cluster_); !status.ok()) return status;
  const auto key = ReadCsrKey(csr_der);
  if (!key.ok()) return key.status();
  if (now >= handles_->not_after) {
    return absl::FailedPreconditionError("the cluster's certificate authority expired at " +
                                         FormatUtc(handles_->not_after));
  }
  const Time until = std::min<Time>(now + kCertificateLife, handles_->not_after);
  const X509Handle certificate(X509_new());
  if (certificate == nullptr ||
      !FillLeaf(certificate.get(), handles_->certificate.get(), key->get(), subject, now, until) ||
      X509_sign(certificate.get(), handles_->key.get(), EVP_sha256()) <= 0) {
    return OpenSslError("cannot issue a certificate for " + FormatActor(subject.identity));
  }
  return WriteCertificate(certificate.get());
}

}  // namespace connect_ha
