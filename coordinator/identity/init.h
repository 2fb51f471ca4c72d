// What `connect-ha init` makes below the coordinator's state directory:
//   ca/ca.crt ca/ca.key              the certificate authority
//   tls/coordinator.crt .key         the coordinator's certificate, the CA's behind it, and key
//   admin/admin.crt .key ca.crt coordinator    the first admin's identity, to be handed over
//   first-admin.crt                  its certificate once more: lets it in where the store knows no
//                                    admin (admins.h)
//   digest.key                       keys the digests of secrets: the CA's DigestKey, but one that
//                                    is there already is kept
//   coordinator                      host:port that nodes and admins call
//   new-cluster                      until the coordinator has begun the audit log of a new cluster
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/identity/authority.h"

namespace connect_ha {

inline constexpr char kFirstAdmin[] = "admin";
std::string FirstAdminPath(const std::string& dir);
std::string NewClusterPath(const std::string& dir);

struct InitOptions {
  std::string dir;      // the state directory
  std::string spec;     // path of the example cluster.yaml; written only when there is no file
  std::string cluster;  // may be empty when the CA is there
  // host:port that nodes and admins call; the port may be left out (8443). May be empty when the
  // coordinator's file is there.
  std::string address;
  // Further DNS names and IP addresses in the coordinator's certificate. localhost, 127.0.0.1 and
  // ::1 are always in it.
  std::vector<std::string> hosts;
};

struct InitResult {
  std::string cluster;
  std::string address;       // host:port
  std::string join_address;  // where nodes join
  std::string ca_hash;
  std::vector<std::string> made;  // paths
  std::vector<std::string> kept;
};

// Makes what is missing, issues anew what expired or is for other hosts, keeps the rest; never
// replaces the CA. The address that was given before stays in the coordinator's certificate, and
// nodes that call it learn the new one when they renew theirs. May be killed at any instruction and
// run again.
absl::StatusOr<InitResult> InitCluster(const InitOptions& options, Time now);

absl::StatusOr<Authority> LoadAuthority(const std::string& dir);

// What the server presents and the rest that `serve` needs.
struct CoordinatorFiles {
  std::string address;      // host:port
  std::string certificate;  // the coordinator's and the CA's, PEM
  std::string key;
  std::string ca;
  std::string digest_key;  // raw bytes, secret
};
absl::StatusOr<CoordinatorFiles> LoadCoordinatorFiles(const std::string& dir);

// For `serve`, at its start and every hour or so: a new coordinator certificate (same key, same
// hosts: one file changes) once the one there is past half its life. True when it was renewed.
absl::StatusOr<bool> RenewCoordinatorCertificate(const std::string& dir, const Authority& authority,
                                                 Time now);

}  // namespace connect_ha
