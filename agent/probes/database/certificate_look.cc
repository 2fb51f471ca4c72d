#include "agent/probes/database/certificate_look.h"

#include <openssl/ssl.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "common/tls/openssl.h"

namespace connect_ha {
namespace {

X509Handle ServerCertificate(const SSL* connection) {
  return X509Handle(connection == nullptr ? nullptr : SSL_get_peer_certificate(connection));
}

std::optional<Time> EndOf(X509* certificate) {
  const absl::StatusOr<Time> end = ReadTime(X509_get0_notAfter(certificate));
  if (!end.ok()) return std::nullopt;
  return *end;
}

// "/CN=db.example.com"; OpenSSL writes what is not printable as \x0A.
std::string NameText(const X509_NAME* name) {
  char text[256];
  return X509_NAME_oneline(name, text, sizeof(text)) == nullptr ? "" : text;
}

}  // namespace

void NoteCertificate(const ssl_st* connection, v1::DatabaseFacts& facts) {
  const X509Handle certificate = ServerCertificate(connection);
  if (certificate == nullptr) return;
  const std::optional<Time> end = EndOf(certificate.get());
  if (end) *facts.mutable_certificate_expires_at() = ToProto(*end);
}

std::string WhyNotVerified(const ssl_st* connection, const std::string& ca_file) {
  const X509Handle certificate = ServerCertificate(connection);
  if (certificate == nullptr) return "";
  const std::optional<Time> end = EndOf(certificate.get());
  if (end && X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return absl::StrCat("the certificate expired on ", FormatUtc(*end));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0) {
    return "the certificate is not valid yet";
  }
  const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
  if (X509_NAME_cmp(X509_get_subject_name(certificate.get()), issuer) == 0) {
    return "the certificate is self-signed";
  }
  return absl::StrCat("the certificate was signed by \"", NameText(issuer), "\", whom ", ca_file,
                      " does not lead to");
}

}  // namespace connect_ha
