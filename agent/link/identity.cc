#include "agent/link/identity.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/address.h"
#include "common/file.h"

namespace connect_ha {
namespace {

constexpr mode_t kSecret = 0600;
constexpr char kName[] = "node";
constexpr size_t kMostCoordinators = 8;

std::map<std::string, std::string> ParseSettings(const std::string& text) {
  std::map<std::string, std::string> settings;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) continue;
    settings[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
  }
  return settings;
}

// What is there cannot be used as it is.
absl::Status Damaged(const absl::Status& cause) {
  if (absl::StrContains(cause.message(), "fix: ")) return cause;
  return {cause.code(), absl::StrCat(cause.message(),
                                     "; fix: where it is damaged, join again: connect-ha token "
                                     "create at the coordinator, and here what it prints")};
}

absl::Status Incomplete(const absl::Status& cause) {
  const std::string message(cause.message());
  if (!absl::IsNotFound(cause)) return Damaged(cause);
  return absl::NotFoundError(absl::StrCat(
      "this node is not enrolled (", message,
      "); fix: run on the coordinator: connect-ha token create, and here what it prints"));
}

}  // namespace

absl::StatusOr<NodeIdentity> LoadNodeIdentity(const std::string& state_dir) {
  NodeIdentity identity;
  auto credentials = LoadCredentials(state_dir, kName);
  if (!credentials.ok()) return Incomplete(credentials.status());
  identity.credentials = *std::move(credentials);
  auto certificate = ParseCertificate(identity.credentials.certificate);
  if (!certificate.ok()) return Damaged(certificate.status());
  identity.certificate = *std::move(certificate);
  auto ca = ReadSmallFile(state_dir + "/ca.crt");
  if (!ca.ok()) return Incomplete(ca.status());
  identity.ca = *std::move(ca);
  if (!VerifySignedBy(identity.credentials.certificate, identity.ca).ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        state_dir, "/node.crt is not of the cluster of ", state_dir,
        "/ca.crt: joining another cluster was interrupted; fix: run the same connect-ha-agent "
        "enroll command again"));
  }
  auto digest_key = ReadSmallFile(state_dir + "/digest.key");
  if (!digest_key.ok()) return Incomplete(digest_key.status());
  identity.digest_key = *std::move(digest_key);
  const auto text = ReadSmallFile(state_dir + "/enrolment");
  if (!text.ok()) return Incomplete(text.status());
  auto settings = ParseSettings(*text);
  identity.coordinator = settings["coordinator"];
  identity.coordinators = absl::StrSplit(settings["coordinators"], ',', absl::SkipEmpty());
  // Release 0.1 wrote none: there nodes joined where they called.
  if (identity.coordinators.empty()) identity.coordinators = {identity.coordinator};
  identity.token_id = settings["token"];
  identity.machine_id = settings["machine"];
  return identity;
}

absl::Status StoreNodeIdentity(const std::string& state_dir, const NodeIdentity& identity) {
  const Identity& who = identity.certificate.identity;
  const std::string enrolment = absl::StrCat(
      "coordinator=", identity.coordinator,
      "\ncoordinators=", absl::StrJoin(identity.coordinators, ","), "\ncluster=", who.cluster,
      "\nnode=", who.name, "\ntoken=", identity.token_id, "\nmachine=", identity.machine_id, "\n");
  absl::Status status = WriteSmallFile(state_dir + "/ca.crt", identity.ca, kSecret);
  if (status.ok()) {
    status = WriteSmallFile(state_dir + "/digest.key", identity.digest_key, kSecret);
  }
  if (status.ok()) status = StoreNodeCredentials(state_dir, identity.credentials);
  return status.ok() ? WriteSmallFile(state_dir + "/enrolment", enrolment, kSecret) : status;
}

std::vector<std::string> MergedCoordinators(const std::vector<std::string>& said,
                                            const std::vector<std::string>& known) {
  std::vector<std::string> merged;
  for (const auto* list : {&said, &known}) {
    for (const std::string& text : *list) {
      const auto address = ParseAddress(text);
      if (!address.ok() || merged.size() >= kMostCoordinators) continue;
      const std::string full = FormatAddress(*address);
      if (std::find(merged.begin(), merged.end(), full) == merged.end()) merged.push_back(full);
    }
  }
  return merged;
}

absl::Status StoreNodeCredentials(const std::string& state_dir, const CredentialPair& pair) {
  return StoreCredentials(state_dir, kName, pair);
}

}  // namespace connect_ha
