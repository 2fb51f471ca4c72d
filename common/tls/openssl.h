// OpenSSL objects that free themselves, and the calls every user of them needs. Only for files
// that call OpenSSL; nothing here is part of another header.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"

namespace connect_ha {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Asn1IntegerHandle = std::unique_ptr<ASN1_INTEGER, Freer<ASN1_INTEGER_free>>;
using Asn1TimeHandle = std::unique_ptr<ASN1_TIME, Freer<ASN1_TIME_free>>;
using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using BnHandle = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using KeyContextHandle = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;
using X509Handle = std::unique_ptr<X509, Freer<X509_free>>;

// Internal: `what`, and the library's words for the last error of this thread.
absl::Status OpenSslError(const std::string& what);

absl::StatusOr<X509Handle> ReadCertificate(const std::string& pem);
absl::StatusOr<KeyHandle> ReadKey(const std::string& pem);
std::string WriteCertificate(X509* certificate);      // PEM
absl::StatusOr<std::string> WriteKey(EVP_PKEY* key);  // PEM

// The public key of a request (DER): its signature is good, and it is a P-256 key.
absl::StatusOr<KeyHandle> ReadCsrKey(const std::string& csr_der);
// SubjectPublicKeyInfo, DER.
std::string PublicKeyDer(EVP_PKEY* key);
// "sha256:" and hex, of the DER.
std::string CertificateHash(X509* certificate);
absl::StatusOr<Time> ReadTime(const ASN1_TIME* time);

}  // namespace connect_ha
