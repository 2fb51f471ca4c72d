// Keys, certificate requests and certificates (X.509, EC P-256), in PEM unless said otherwise.
// No call keeps state: all may be made from any thread. Errors: InvalidArgument for input that is
// not what it should be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/identity.h"

namespace connect_ha {

struct Certificate {
  Identity identity;
  std::string serial;  // lower-case hex
  Time not_before{};
  Time not_after{};
  std::vector<std::string> hosts;  // DNS names and IP addresses, the coordinator's only
};

// The first certificate in `pem`. An error when it does not carry exactly one identity of ours.
// Does not verify who signed it: TLS did, or VerifySignedBy does.
absl::StatusOr<Certificate> ParseCertificate(const std::string& pem);

absl::StatusOr<std::string> MakeKey();

// A request for a certificate for `key`, DER. It asks for no name: the coordinator sets that.
absl::StatusOr<std::string> MakeCsr(const std::string& key);

// SHA-256 of the public key (SubjectPublicKeyInfo, DER) of a request whose signature is good and
// whose key is P-256; raw bytes.
absl::StatusOr<std::string> CsrPublicKeyDigest(const std::string& csr_der);

bool KeyMatches(const std::string& key, const std::string& certificate);

// The signature only, not the times.
absl::Status VerifySignedBy(const std::string& certificate, const std::string& ca);

// "sha256:" and the lower-case hex of the SHA-256 of the first certificate's DER.
absl::StatusOr<std::string> CaHash(const std::string& ca);

// When to renew: at half its life, give or take a tenth of its life. The serial number, which is
// random, decides when in that window: certificates issued together are not renewed together.
Time RenewalTime(const Certificate& certificate);

}  // namespace connect_ha
