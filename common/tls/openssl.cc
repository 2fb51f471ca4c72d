#include "common/tls/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

// SubjectPublicKeyInfo of a P-256 key on the named curve up to the point, which is 64 bytes
// behind "uncompressed" (RFC 5480). To compare is the one check that OpenSSL 1.1.1 and 3.0 share.
constexpr unsigned char kP256Prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr size_t kP256Size = sizeof kP256Prefix + 64;
constexpr size_t kMaxCsrSize = 4096;

// Without it OpenSSL would ask for the password of an encrypted key on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

BioHandle Reader(const std::string& bytes) {
  return BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string Written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

}  // namespace

absl::Status OpenSslError(const std::string& what) {
  char words[256] = "no reason given";
  const unsigned long error = ERR_peek_last_error();
  if (error != 0) ERR_error_string_n(error, words, sizeof words);
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", words));
}

absl::StatusOr<X509Handle> ReadCertificate(const std::string& pem) {
  const BioHandle bio = Reader(pem);
  X509Handle certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
  if (certificate == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("no certificate in PEM form");
  }
  return certificate;
}

absl::StatusOr<KeyHandle> ReadKey(const std::string& pem) {
  const BioHandle bio = Reader(pem);
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("no private key in PEM form");
  }
  return key;
}

std::string WriteCertificate(X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Written(bio.get());
}

absl::StatusOr<std::string> WriteKey(EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpenSslError("cannot write the key");
  }
  return Written(bio.get());
}

absl::StatusOr<KeyHandle> ReadCsrKey(const std::string& csr_der) {
  const auto* data = reinterpret_cast<const unsigned char*>(csr_der.data());
  const auto* const end = data + csr_der.size();
  RequestHandle request;
  if (csr_der.size() <= kMaxCsrSize) {
    request.reset(d2i_X509_REQ(nullptr, &data, static_cast<long>(csr_der.size())));
  }
  if (request == nullptr || data != end) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate request is malformed");
  }
  KeyHandle key(X509_REQ_get_pubkey(request.get()));
  const std::string der = key == nullptr ? "" : PublicKeyDer(key.get());
  const absl::string_view prefix(reinterpret_cast<const char*>(kP256Prefix), sizeof kP256Prefix);
  if (der.size() != kP256Size || !absl::StartsWith(der, prefix)) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate request is not for a P-256 key");
  }
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate request is not signed by its own key");
  }
  return key;
}

std::string PublicKeyDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return "";
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

std::string CertificateHash(X509* certificate) {
  unsigned char digest[32];
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  return "sha256:" + Hex(std::string_view(reinterpret_cast<char*>(digest), size));
}

absl::StatusOr<Time> ReadTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return absl::InvalidArgumentError("the certificate holds no valid time");
  }
  return Time(std::chrono::seconds(timegm(&parts)));
}

}  // namespace connect_ha
