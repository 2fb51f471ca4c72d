#include "coordinator/rpc/methods.h"

#include "common/tls/channel.h"
#include "coordinator/cluster/node/bounds.h"

namespace connect_ha {
namespace {

// A specification comes with the files that it names: 256 KiB of configuration, 64 KiB of licence
// (common/spec/spec_bundle.h), and cluster.yaml; where it is signed, all but that twice.
constexpr size_t kMaxSpecBytes = 1024 * 1024;
// What comes without a certificate is a name, a key and a proof.
constexpr size_t kMaxEnrolmentBytes = 16 * 1024;

LargeField FactsIn(int number) {
  return {number, v1::Facts::descriptor(), static_cast<size_t>(kMaxNodeMessageBytes),
          kMostFactsValues};
}

MessageBounds SpecBounds() {
  MessageBounds bounds;
  bounds.bytes = kMaxSpecBytes;
  bounds.part = "the specification with its files";
  return bounds;
}

MessageBounds EnrolmentBounds() {
  MessageBounds bounds;
  bounds.bytes = kMaxEnrolmentBytes;
  bounds.values = 1'000;
  return bounds;
}

}  // namespace

MessageBounds HeartbeatBounds() {
  MessageBounds bounds;
  bounds.large = {FactsIn(v1::HeartbeatRequest::kFactsFieldNumber),
                  FactsIn(v1::HeartbeatRequest::kFactsBytesFieldNumber)};
  bounds.part = "the heartbeat without its facts";
  bounds.large_part = "the report";
  bounds.fix = "\nfix: connect-ha-agent facts shows what takes so much room";
  return bounds;
}

MessageBounds NudgesBounds() {
  MessageBounds bounds;
  bounds.bytes = 1024;
  bounds.values = 10;
  return bounds;
}

void AddNodesMethods(v1::NodeService::Service& node, v1::AdminService::Service& admin,
                     v1::RenewalService::Service& renewal, Endpoint& endpoint) {
  using Admin = v1::AdminService::Service;
  endpoint.Add(node, &v1::NodeService::Service::Heartbeat, HeartbeatBounds());
  endpoint.AddNudges();
  endpoint.Add(renewal, &v1::RenewalService::Service::Renew);
  // Where agents of release 0.1 ask for it, with their certificate.
  endpoint.AddAt("/connect_ha.v1.EnrolmentService/Renew", renewal,
                 &v1::RenewalService::Service::Renew);
  endpoint.Add(admin, &Admin::GetChecklist);
  endpoint.Add(admin, &Admin::GetSnapshot);
  endpoint.Add(admin, &Admin::Refresh);
  endpoint.Add(admin, &Admin::RefreshStatus);
  endpoint.Add(admin, &Admin::ListEvents);
  endpoint.Add(admin, &Admin::CreateToken);
  endpoint.Add(admin, &Admin::ListTokens);
  endpoint.Add(admin, &Admin::RevokeToken);
  endpoint.Add(admin, &Admin::CreateAdmin);
  endpoint.Add(admin, &Admin::ListAdmins);
  endpoint.Add(admin, &Admin::RemoveAdmin);
  endpoint.Add(admin, &Admin::ListAudit);
  endpoint.Add(admin, &Admin::ListNodes);
  endpoint.Add(admin, &Admin::RemoveNode);
  endpoint.Add(admin, &Admin::PreviewSpec, SpecBounds());
  endpoint.Add(admin, &Admin::GetPreviews);
  endpoint.Add(admin, &Admin::ApplySpec, SpecBounds());
  endpoint.Add(admin, &Admin::GetSpec);
  endpoint.Add(admin, &Admin::ListSpecs);
  endpoint.Add(admin, &Admin::GiveWord);
  endpoint.Add(admin, &Admin::TakeBack);
  endpoint.Add(admin, &Admin::GetPlan);
  endpoint.Add(admin, &Admin::ListRollouts);
}

void AddEnrolmentMethods(v1::EnrolmentService::Service& enrolment, Endpoint& endpoint) {
  using Enrolment = v1::EnrolmentService::Service;
  endpoint.Add(enrolment, &Enrolment::Challenge, EnrolmentBounds());
  endpoint.Add(enrolment, &Enrolment::Enroll, EnrolmentBounds());
}

}  // namespace connect_ha
