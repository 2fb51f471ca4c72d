// Heartbeats with a node's certificate, whatever is in them: the coordinator answers or refuses,
// and serves the other nodes and its admins as before.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/fuzz/service_names.h"
#include "tests/fuzz/service_under_fuzz.h"

namespace connect_ha {
namespace {

constexpr char kHeartbeat[] = "/connect_ha.v1.NodeService/Heartbeat";
// An evaluation takes as long as several calls.
constexpr uint64_t kReportsBetweenJudgements = 8;

// The message again, as of a node that is one machine. Inputs name many machines; two of them under
// one name are in conflict, and then the facts of neither are taken and judged.
void SendAsOneMachine(ServiceUnderFuzz& service, const std::string& input) {
  static uint64_t reports = 0;
  v1::HeartbeatRequest request;
  if (!request.ParseFromString(input)) return;
  request.set_node(kSteadyNode);
  request.set_machine_id(absl::StrCat("machine-", kSteadyNode));
  request.set_boot_id("boot-1");
  const bool reports_facts = request.has_facts() || !request.facts_bytes().empty();
  if (reports_facts) request.set_facts_digest(absl::StrCat("digest-", ++reports));
  service.Call(FuzzCaller::kSteadyNode, kHeartbeat, request.SerializeAsString());
  if (reports_facts && reports % kReportsBetweenJudgements == 0) service.Judge();
}

}  // namespace

grpc::Status SendInput(ServiceUnderFuzz& service, const std::string& input) {
  grpc::Status status = service.Call(FuzzCaller::kNode, kHeartbeat, input);
  SendAsOneMachine(service, input);
  return status;
}

}  // namespace connect_ha
