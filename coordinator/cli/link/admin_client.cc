#include "coordinator/cli/link/admin_client.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/channel.h"
#include "common/tls/credential_files.h"
#include "common/tls/pinned_ca.h"
#include "connect_ha/v1/admin_service.grpc.pb.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

constexpr char kName[] = "admin";
constexpr seconds kCallTimeout{30};
constexpr seconds kRenewTimeout{5};
constexpr seconds kExplainTimeout{5};

struct AdminIdentity {
  std::string dir;
  std::string coordinator;  // host:port
  std::string ca;
  CredentialPair credentials;
  Certificate certificate;
};

std::shared_ptr<grpc::Channel> ChannelOf(const AdminIdentity& identity) {
  ChannelOptions options;
  options.target = identity.coordinator;
  options.ca = identity.ca;
  options.certificate = identity.credentials.certificate;
  options.key = identity.credentials.key;
  options.max_receive_bytes = kMaxAdminMessageBytes;
  return MakeChannel(options);
}

void SetDeadline(grpc::ClientContext& context, seconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

class AdminClient : public AdminLink {
 public:
  explicit AdminClient(AdminIdentity identity)
      : identity_(std::move(identity)), stub_(v1::AdminService::NewStub(ChannelOf(identity_))) {}

  absl::StatusOr<v1::Checklist> GetChecklist(const v1::GetChecklistRequest& request) override {
    return Call(&v1::AdminService::Stub::GetChecklist, request);
  }
  absl::StatusOr<v1::Snapshot> GetSnapshot(const v1::GetSnapshotRequest& request) override {
    return Call(&v1::AdminService::Stub::GetSnapshot, request);
  }
  absl::StatusOr<v1::RefreshResponse> Refresh(const v1::RefreshRequest& request) override {
    return Call(&v1::AdminService::Stub::Refresh, request);
  }
  absl::StatusOr<v1::RefreshStatusResponse> RefreshStatus(
      const v1::RefreshStatusRequest& request) override {
    return Call(&v1::AdminService::Stub::RefreshStatus, request);
  }
  absl::StatusOr<v1::ListEventsResponse> ListEvents(const v1::ListEventsRequest& request) override {
    return Call(&v1::AdminService::Stub::ListEvents, request);
  }
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(
      const v1::CreateTokenRequest& request) override {
    return Call(&v1::AdminService::Stub::CreateToken, request);
  }
  absl::StatusOr<v1::ListTokensResponse> ListTokens(const v1::ListTokensRequest& request) override {
    return Call(&v1::AdminService::Stub::ListTokens, request);
  }
  absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(
      const v1::RevokeTokenRequest& request) override {
    return Call(&v1::AdminService::Stub::RevokeToken, request);
  }
  absl::StatusOr<v1::CreateAdminResponse> CreateAdmin(
      const v1::CreateAdminRequest& request) override {
    return Call(&v1::AdminService::Stub::CreateAdmin, request);
  }
  absl::StatusOr<v1::ListAdminsResponse> ListAdmins(const v1::ListAdminsRequest& request) override {
    return Call(&v1::AdminService::Stub::ListAdmins, request);
  }
  absl::StatusOr<v1::RemoveAdminResponse> RemoveAdmin(
      const v1::RemoveAdminRequest& request) override {
    return Call(&v1::AdminService::Stub::RemoveAdmin, request);
  }
  absl::StatusOr<v1::ListAuditResponse> ListAudit(const v1::ListAuditRequest& request) override {
    return Call(&v1::AdminService::Stub::ListAudit, request);
  }
  absl::StatusOr<v1::ListNodesResponse> ListNodes(const v1::ListNodesRequest& request) override {
    return Call(&v1::AdminService::Stub::ListNodes, request);
  }
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(const v1::RemoveNodeRequest& request) override {
    return Call(&v1::AdminService::Stub::RemoveNode, request);
  }
  absl::StatusOr<v1::PreviewSpecResponse> PreviewSpec(
      const v1::PreviewSpecRequest& request) override {
    return Call(&v1::AdminService::Stub::PreviewSpec, request);
  }
  absl::StatusOr<v1::GetPreviewsResponse> GetPreviews(
      const v1::GetPreviewsRequest& request) override {
    return Call(&v1::AdminService::Stub::GetPreviews, request);
  }
  absl::StatusOr<v1::ApplySpecResponse> ApplySpec(const v1::ApplySpecRequest& request) override {
    return Call(&v1::AdminService::Stub::ApplySpec, request);
  }
  absl::StatusOr<v1::SpecGeneration> GetSpec(const v1::GetSpecRequest& request) override {
    return Call(&v1::AdminService::Stub::GetSpec, request);
  }
  absl::StatusOr<v1::ListSpecsResponse> ListSpecs(const v1::ListSpecsRequest& request) override {
    return Call(&v1::AdminService::Stub::ListSpecs, request);
  }
  absl::StatusOr<v1::GiveWordResponse> GiveWord(const v1::GiveWordRequest& request) override {
    return Call(&v1::AdminService::Stub::GiveWord, request);
  }
  absl::StatusOr<v1::TakeBackResponse> TakeBack(const v1::TakeBackRequest& request) override {
    return Call(&v1::AdminService::Stub::TakeBack, request);
  }
  absl::StatusOr<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest& request) override {
    return Call(&v1::AdminService::Stub::GetPlan, request);
  }
  absl::StatusOr<v1::ListRolloutsResponse> ListRollouts(
      const v1::ListRolloutsRequest& request) override {
    return Call(&v1::AdminService::Stub::ListRollouts, request);
  }

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&,
                                                                               Response*),
                                const Request& request) {
    grpc::ClientContext context;
    SetDeadline(context, kCallTimeout);
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (status.ok()) return response;
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
      return absl::UnimplementedError(
          "the coordinator is of an older release than this program, and cannot do that; fix: "
          "upgrade the coordinator, or run it on the coordinator's host");
    }
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return FromGrpc(status);
    // gRPC does not say what keeps the channel from coming up.
    absl::Status why = ExplainConnection(identity_.coordinator, identity_.ca, kExplainTimeout);
    return why.ok() ? FromGrpc(status) : why;
  }

  const AdminIdentity identity_;
  const std::unique_ptr<v1::AdminService::Stub> stub_;
};

absl::Status WithFix(const absl::Status& status, const std::string& dir) {
  if (!absl::IsNotFound(status) && !absl::IsFailedPrecondition(status)) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(
          "no admin identity in ", dir, " (", std::string(status.message()),
          "); fix: run it on the coordinator as root, or have an admin make you one: connect-ha "
          "admin create NAME --role ROLE"));
}

absl::StatusOr<AdminIdentity> LoadAdminIdentity(const std::string& dir) {
  AdminIdentity identity;
  identity.dir = dir;
  auto credentials = LoadCredentials(dir, kName);
  if (!credentials.ok()) return WithFix(credentials.status(), dir);
  identity.credentials = *std::move(credentials);
  auto ca = ReadSmallFile(dir + "/ca.crt");
  if (!ca.ok()) return WithFix(ca.status(), dir);
  identity.ca = *std::move(ca);
  const auto coordinator = ReadSmallFile(dir + "/coordinator");
  if (!coordinator.ok()) return WithFix(coordinator.status(), dir);
  identity.coordinator = std::string(absl::StripAsciiWhitespace(*coordinator));
  auto certificate = ParseCertificate(identity.credentials.certificate);
  if (!certificate.ok()) return certificate.status();
  identity.certificate = *std::move(certificate);
  return identity;
}

absl::Status CheckUsable(const AdminIdentity& identity, Time now) {
  const Certificate& certificate = identity.certificate;
  if (certificate.identity.role != Role::kAdmin) {
    return absl::FailedPreconditionError(
        absl::StrCat(identity.dir, "/admin.crt is the certificate of ",
                     FormatActor(certificate.identity), ", not of an admin"));
  }
  // The coordinator would end the handshake without a word.
  if (!VerifySignedBy(identity.credentials.certificate, identity.ca).ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        identity.dir, "/admin.crt is not a certificate of the authority in ", identity.dir,
        "/ca.crt; fix: copy the whole directory /var/lib/connect-ha/admin of the coordinator"));
  }
  if (now < certificate.not_after) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the admin certificate in ", identity.dir, " expired at ", FormatUtc(certificate.not_after),
      "; fix: an admin makes you a new one: connect-ha admin create ", certificate.identity.name,
      " --replace; the first admin's, root on the coordinator's host: connect-ha init"));
}

// Whatever goes wrong, the certificate at hand goes on being used: it has half its life left.
void RenewIfDue(AdminIdentity& identity, Time now) {
  if (now < RenewalTime(identity.certificate)) return;
  const auto key = MakeKey();
  const auto csr = key.ok() ? MakeCsr(*key) : key;
  if (!csr.ok()) return;
  v1::RenewRequest request;
  request.set_csr_der(*csr);
  v1::RenewResponse response;
  grpc::ClientContext context;
  SetDeadline(context, kRenewTimeout);
  const auto stub = v1::RenewalService::NewStub(ChannelOf(identity));
  if (!stub->Renew(&context, request, &response).ok()) return;
  const CredentialPair pair{*key, response.certificate_pem()};
  const auto certificate = ParseCertificate(pair.certificate);
  if (!certificate.ok() || !KeyMatches(pair.key, pair.certificate) ||
      !(certificate->identity == identity.certificate.identity) ||
      !VerifySignedBy(pair.certificate, identity.ca).ok() ||
      !StoreCredentials(identity.dir, kName, pair).ok()) {
    return;
  }
  identity.credentials = pair;
  identity.certificate = *certificate;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminLink>> OpenAdminClient(const std::string& identity_dir,
                                                           Time now) {
  auto identity = LoadAdminIdentity(identity_dir);
  if (!identity.ok()) return identity.status();
  if (absl::Status status = CheckUsable(*identity, now); !status.ok()) return status;
  RenewIfDue(*identity, now);
  return std::unique_ptr<AdminLink>(std::make_unique<AdminClient>(*std::move(identity)));
}

}  // namespace connect_ha
