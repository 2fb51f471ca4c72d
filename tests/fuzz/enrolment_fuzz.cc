// Challenges, enrolments and renewals, whatever is in them: the coordinator answers or refuses;
// nobody is enrolled without a token's secret, and no certificate is for another than who asked.
#include <string>

#include "common/tls/certificate.h"
#include "connect_ha/v1/enrolment_service.pb.h"
#include "tests/fuzz/service_names.h"
#include "tests/fuzz/service_under_fuzz.h"

namespace connect_ha {
namespace {

constexpr char kChallenge[] = "/connect_ha.v1.EnrolmentService/Challenge";
constexpr char kEnroll[] = "/connect_ha.v1.EnrolmentService/Enroll";
constexpr char kRenew[] = "/connect_ha.v1.RenewalService/Renew";

void RequireIssuedTo(const std::string& certificate_pem, Role role, const std::string& name) {
  const auto certificate = ParseCertificate(certificate_pem);
  RequireOfService(certificate.ok(), "the certificate that was issued cannot be read");
  const Identity identity{kFuzzedCluster, role, name};
  RequireOfService(certificate->identity == identity, "a certificate for " +
                                                          FormatIdentity(certificate->identity) +
                                                          " went to " + FormatIdentity(identity));
}

// With a token's secret, which no input can guess, and a challenge that is good now.
grpc::Status EnrollProved(ServiceUnderFuzz& service, const std::string& message) {
  v1::EnrollRequest request;
  if (!request.ParseFromString(message)) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "no EnrollRequest"};
  }
  const JoinToken token = service.Token();
  v1::ChallengeRequest ask;
  ask.set_token_id(token.id);
  std::string answer;
  grpc::Status status =
      service.Call(FuzzCaller::kNobody, kChallenge, ask.SerializeAsString(), &answer);
  v1::ChallengeResponse challenge;
  if (!status.ok() || !challenge.ParseFromString(answer)) return status;
  request.set_token_id(token.id);
  request.set_challenge(challenge.challenge());
  request.set_proof(MakeProof(token.secret, {request.challenge(), request.csr_der(), token.id,
                                             request.node(), request.machine_id()}));
  status = service.Call(FuzzCaller::kNobody, kEnroll, request.SerializeAsString(), &answer);
  if (!status.ok()) return status;
  v1::EnrollResponse response;
  RequireOfService(response.ParseFromString(answer), "the answer to Enroll cannot be read");
  RequireOfService(request.node().size() == 2 && request.node()[0] == 'n',
                   "a token for other names enrolled " + request.node());
  RequireIssuedTo(response.certificate_pem(), Role::kNode, request.node());
  return status;
}

grpc::Status Renew(ServiceUnderFuzz& service, FuzzCaller who, Role role, const std::string& name,
                   const std::string& message) {
  std::string answer;
  grpc::Status status = service.Call(who, kRenew, message, &answer);
  if (!status.ok()) return status;
  v1::RenewResponse response;
  RequireOfService(response.ParseFromString(answer), "the answer to Renew cannot be read");
  RequireIssuedTo(response.certificate_pem(), role, name);
  return status;
}

grpc::Status Enroll(ServiceUnderFuzz& service, const std::string& message) {
  grpc::Status status = service.Call(FuzzCaller::kNobody, kEnroll, message);
  RequireOfService(!status.ok(), "a node was enrolled without a proof");
  return status;
}

}  // namespace

grpc::Status SendInput(ServiceUnderFuzz& service, const std::string& input) {
  if (input.empty()) return {grpc::StatusCode::INVALID_ARGUMENT, "it names no call"};
  const std::string message = input.substr(1);
  switch (static_cast<EnrolmentInput>(static_cast<unsigned char>(input[0]) % kEnrolmentInputs)) {
    case EnrolmentInput::kChallenge:
      return service.Call(FuzzCaller::kNobody, kChallenge, message);
    case EnrolmentInput::kEnroll:
      return Enroll(service, message);
    case EnrolmentInput::kEnrollProved:
      return EnrollProved(service, message);
    case EnrolmentInput::kRenewNode:
      return Renew(service, FuzzCaller::kNode, Role::kNode, kFuzzedNode, message);
    case EnrolmentInput::kRenewAdmin:
      return Renew(service, FuzzCaller::kAdmin, Role::kAdmin, kFuzzAdmin, message);
  }
  return {grpc::StatusCode::INVALID_ARGUMENT, "it names no call"};
}

}  // namespace connect_ha
