#include "agent/link/enroll.h"

#include <unistd.h>

#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/backoff.h"
#include "common/file.h"
#include "common/tls/channel.h"
#include "common/tls/join_proof.h"
#include "common/tls/pinned_ca.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kCallTimeout{10'000};
constexpr int kTriesWithAChallenge = 3;

// The key of an enrolment on the way: kept until the node has its identity, so that a run that
// was killed is repeated with the same key.
std::string PendingKeyPath(const std::string& state_dir) {
  return state_dir + "/node.key.enrolling";
}

absl::StatusOr<std::string> PendingKey(const std::string& state_dir) {
  auto present = ReadSmallFile(PendingKeyPath(state_dir));
  if (present.ok() || !absl::IsNotFound(present.status())) return present;
  auto made = MakeKey();
  if (!made.ok()) return made;
  absl::Status status = WriteSmallFile(PendingKeyPath(state_dir), *made, 0600);
  if (!status.ok()) return status;
  return made;
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
}

class Enrolling {
 public:
  Enrolling(const EnrollOptions& options, JoinToken token, std::string key, std::string csr)
      : options_(options), token_(std::move(token)), key_(std::move(key)), csr_(std::move(csr)) {}

  absl::StatusOr<NodeIdentity> Try();

 private:
  absl::StatusOr<v1::EnrollResponse> Ask(v1::EnrolmentService::Stub& stub);
  absl::StatusOr<NodeIdentity> MakeIdentity(const v1::EnrollResponse& response,
                                            const std::string& ca) const;

  const EnrollOptions& options_;
  const JoinToken token_;
  const std::string key_;
  const std::string csr_;
};

absl::StatusOr<v1::EnrollResponse> Enrolling::Ask(v1::EnrolmentService::Stub& stub) {
  v1::ChallengeRequest ask;
  ask.set_token_id(token_.id);
  v1::ChallengeResponse challenge;
  grpc::ClientContext first;
  SetDeadline(first);
  if (const auto status = stub.Challenge(&first, ask, &challenge); !status.ok()) {
    return FromGrpc(status);
  }
  v1::EnrollRequest request;
  request.set_token_id(token_.id);
  request.set_challenge(challenge.challenge());
  request.set_csr_der(csr_);
  request.set_node(options_.node);
  request.set_machine_id(options_.machine_id);
  request.set_proof(MakeProof(
      token_.secret, {challenge.challenge(), csr_, token_.id, options_.node, options_.machine_id}));
  v1::EnrollResponse response;
  grpc::ClientContext second;
  SetDeadline(second);
  if (const auto status = stub.Enroll(&second, request, &response); !status.ok()) {
    return FromGrpc(status);
  }
  return response;
}

absl::StatusOr<NodeIdentity> Enrolling::MakeIdentity(const v1::EnrollResponse& response,
                                                     const std::string& ca) const {
  NodeIdentity identity;
  identity.coordinator = options_.coordinator;
  identity.coordinators =
      MergedCoordinators({response.coordinators().begin(), response.coordinators().end()}, {});
  if (identity.coordinators.empty()) identity.coordinators = {options_.coordinator};
  identity.token_id = token_.id;
  identity.machine_id = options_.machine_id;
  identity.ca = ca;
  identity.digest_key = response.digest_key();
  identity.credentials = {key_, response.certificate_pem()};
  auto certificate = ParseCertificate(response.certificate_pem());
  if (!certificate.ok()) return certificate.status();
  identity.certificate = *std::move(certificate);
  if (absl::Status status = VerifySignedBy(response.certificate_pem(), ca); !status.ok()) {
    return status;
  }
  const Identity& who = identity.certificate.identity;
  if (!KeyMatches(key_, response.certificate_pem()) || who.role != Role::kNode ||
      who.name != options_.node || identity.digest_key.empty()) {
    return absl::InternalError(absl::StrCat("the coordinator answered with a certificate for ",
                                            FormatActor(who), ", not for node/", options_.node,
                                            " and this key"));
  }
  return identity;
}

// The port of nodes presents the same authority, and ends the connection of who has no certificate.
absl::Status WithPort(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return status;
  return absl::UnavailableError(absl::StrCat(
      status.message(),
      "; fix: where this goes on, check the port: nodes join on the one in the command that "
      "connect-ha token create prints, 8444 as a rule"));
}

absl::StatusOr<NodeIdentity> Enrolling::Try() {
  const auto ca = FetchPinnedCa(options_.coordinator, options_.ca_hash, kCallTimeout);
  if (!ca.ok()) return ca.status();
  ChannelOptions channel;
  channel.target = options_.coordinator;
  channel.ca = *ca;
  const auto stub = v1::EnrolmentService::NewStub(MakeChannel(channel));
  auto response = Ask(*stub);
  // A coordinator that was restarted in between does not know its challenge any more.
  for (int i = 1; i < kTriesWithAChallenge && absl::IsAborted(response.status()); ++i) {
    response = Ask(*stub);
  }
  if (!response.ok()) return WithPort(response.status());
  return MakeIdentity(*response, *ca);
}

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// A node that joined with release 0.1, which has one port, was given the other in the same command.
bool IsOneHost(const std::string& a, const std::string& b) {
  const auto one = ParseAddress(a);
  const auto other = ParseAddress(b);
  return one.ok() && other.ok() && one->host == other->host;
}

// Whether this machine got it with these very arguments. A disk image made of a node of an Auto
// Scaling group brings that node's identity and the group's token to other machines.
bool IsMadeBy(const NodeIdentity& identity, const EnrollOptions& options,
              const std::string& token_id) {
  const auto ca_hash = CaHash(identity.ca);
  return identity.token_id == token_id && identity.machine_id == options.machine_id &&
         IsOneHost(identity.coordinator, options.coordinator) &&
         identity.certificate.identity.name == options.node && ca_hash.ok() &&
         *ca_hash == options.ca_hash;
}

// What an earlier run of the same command made.
absl::StatusOr<NodeIdentity> Present(const EnrollOptions& options, const std::string& token_id,
                                     Time now) {
  if (FileExists(PendingKeyPath(options.state_dir))) return absl::NotFoundError("under way");
  auto identity = LoadNodeIdentity(options.state_dir);
  if (identity.ok() &&
      (!IsMadeBy(*identity, options, token_id) || identity->certificate.not_after <= now)) {
    return absl::NotFoundError("to be replaced");
  }
  return identity;
}

absl::StatusOr<NodeIdentity> TryUntil(Time give_up, Enrolling& enrolling,
                                      const std::function<Time()>& now,
                                      const std::function<void(const std::string&)>& report) {
  Backoff backoff(seconds(1), seconds(15));
  auto identity = enrolling.Try();
  while (!identity.ok() && MayPass(identity.status()) && now() < give_up) {
    const auto wait = backoff.Next();
    report(absl::StrCat(std::string(identity.status().message()), " (trying again in ",
                        wait.count() / 1000 + 1, "s)"));
    std::this_thread::sleep_for(wait);
    identity = enrolling.Try();
  }
  return identity;
}

// The options with the address in full, once they are all that they should be.
absl::StatusOr<EnrollOptions> Checked(EnrollOptions options) {
  const auto address = ParseAddress(options.coordinator, kDefaultEnrolmentPort);
  if (!address.ok()) return address.status();
  options.coordinator = FormatAddress(*address);
  if (absl::Status status = CheckName("node name", options.node); !status.ok()) return status;
  if (!options.machine_id.empty()) return options;
  return absl::FailedPreconditionError(
      "this machine has no machine id; fix: systemd-machine-id-setup, then run this again");
}

}  // namespace

absl::StatusOr<EnrollResult> Enroll(const EnrollOptions& given, const std::function<Time()>& now,
                                    const std::function<void(const std::string&)>& report) {
  const auto token = ParseJoinToken(given.token);
  if (!token.ok()) return token.status();
  const auto options = Checked(given);
  if (!options.ok()) return options.status();
  if (auto present = Present(*options, token->id, now()); present.ok()) {
    return EnrollResult{*std::move(present), true};
  }
  absl::Status status = MakeDirectories(options->state_dir, 0700);
  if (!status.ok()) return status;
  const auto key = PendingKey(options->state_dir);
  if (!key.ok()) return key.status();
  const auto csr = MakeCsr(*key);
  if (!csr.ok()) return csr.status();
  Enrolling enrolling(*options, *token, *key, *csr);
  auto identity = TryUntil(now() + options->wait, enrolling, now, report);
  if (!identity.ok()) return identity.status();
  status = StoreNodeIdentity(options->state_dir, *identity);
  if (status.ok()) status = RemoveFile(PendingKeyPath(options->state_dir));
  if (!status.ok()) return status;
  return EnrollResult{*std::move(identity), false};
}

absl::StatusOr<std::string> DefaultNodeName() {
  char text[256] = "";
  if (gethostname(text, sizeof text - 1) != 0) {
    return absl::InternalError("this machine has no host name; fix: give the node's with --node");
  }
  std::string name = absl::AsciiStrToLower(text);
  name = name.substr(0, name.find('.'));
  if (absl::Status status = CheckName("host name", name); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(status.message()), ", or give the node's name with --node"));
  }
  return name;
}

}  // namespace connect_ha
