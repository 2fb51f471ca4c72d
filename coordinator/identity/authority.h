// The cluster's certificate authority. An Authority may be used from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/identity.h"

namespace connect_ha {

constexpr std::chrono::hours kCertificateLife{30 * 24};
// A certificate is valid from this long before it was issued: clocks differ.
constexpr std::chrono::minutes kClockAllowance{5};

// Whom to certify. The hosts (DNS names and IP addresses) are for the coordinator's certificate.
struct Subject {
  Identity identity;
  std::vector<std::string> hosts;
};

class Authority {
 public:
  // A new one, good for ten years from `now`.
  static absl::StatusOr<Authority> Create(const std::string& cluster, Time now);
  static absl::StatusOr<Authority> Load(const std::string& certificate, const std::string& key);

  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  const std::string& cluster() const { return cluster_; }
  const std::string& certificate() const { return certificate_; }  // PEM
  const std::string& key() const { return key_; }                  // PEM, secret
  const std::string& hash() const { return hash_; }                // sha256:...

  // Keys the digests of secrets: 32 raw bytes, secret, the same as long as the authority is.
  absl::StatusOr<std::string> DigestKey() const;

  // A certificate (PEM) for the request's key. Of the request nothing but its public key is
  // taken, after its signature was verified. InvalidArgument: the request is not a good one.
  absl::StatusOr<std::string> Issue(const Subject& subject, const std::string& csr_der,
                                    Time now) const;

 private:
  struct Handles;
  Authority(std::unique_ptr<Handles> handles, std::string cluster, std::string certificate,
            std::string key, std::string hash);

  std::unique_ptr<Handles> handles_;
  std::string cluster_;
  std::string certificate_;
  std::string key_;
  std::string hash_;
};

}  // namespace connect_ha
