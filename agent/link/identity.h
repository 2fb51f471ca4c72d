// Who this node is in its cluster: the files below the agent's state directory, each 0600.
//   node.key node.crt    see common/credential_files.h
//   ca.crt               the cluster's certificate authority, the only one trusted
//   digest.key           keys the digests of secrets (raw bytes)
//   enrolment            where the node joined and with which token, and where the coordinator
//                        answers nodes, KEY=VALUE
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"

namespace connect_ha {

struct NodeIdentity {
  std::string coordinator;  // host:port, where the node joined
  // host:port, where the coordinator answers nodes, the first tried first; never empty.
  std::vector<std::string> coordinators;
  std::string token_id;    // of the token that let the node in; not secret
  std::string machine_id;  // of the machine that was let in
  std::string ca;          // PEM
  std::string digest_key;  // raw bytes, secret
  CredentialPair credentials;
  Certificate certificate;  // what credentials.certificate says: cluster, node, times
};

// NotFound: this node is not enrolled, with the command that enrols it.
absl::StatusOr<NodeIdentity> LoadNodeIdentity(const std::string& state_dir);

// The file `enrolment` is replaced last: when it changes, the new identity is complete. Killed
// before that, LoadNodeIdentity finds a node that is not enrolled, the identity from before, or an
// error that says to enrol again.
absl::Status StoreNodeIdentity(const std::string& state_dir, const NodeIdentity& identity);

// `said` by the coordinator, in its order, and behind it those of `known` that it does not name:
// one that was mistyped there locks nobody out. What is no address is left out; eight at the most.
std::vector<std::string> MergedCoordinators(const std::vector<std::string>& said,
                                            const std::vector<std::string>& known);

// After a renewal that brought nothing else.
absl::Status StoreNodeCredentials(const std::string& state_dir, const CredentialPair& pair);

}  // namespace connect_ha
