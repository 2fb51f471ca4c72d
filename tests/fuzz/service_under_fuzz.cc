#include "tests/fuzz/service_under_fuzz.h"

#include <google/protobuf/stubs/logging.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/tls/certificate.h"
#include "common/tls/channel.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fuzz/service_names.h"

namespace connect_ha {
namespace {

// A call that has no answer after this hangs.
constexpr std::chrono::seconds kPatience{30};
constexpr uint64_t kInputsBetweenLooks = 64;
// Each coordinator takes so many, and another begins with an empty store: what inputs may rightly
// leave behind (tokens, nodes, events, audit entries) is bounded, and what the process keeps beyond
// that is not hidden by it.
constexpr uint64_t kInputsOfOneService = 20'000;
constexpr int kUsesOfToken = 500;

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
}

std::string Text(const grpc::Status& status) {
  return absl::StrCat("status ", static_cast<int>(status.error_code()), " ",
                      status.error_message());
}

template <typename Value>
Value Must(absl::StatusOr<Value> value) {
  RequireOfService(value.ok(), value.status().ToString());
  return *std::move(value);
}

// gRPC says UNKNOWN for a method that threw. That a rule of the database's own was broken means
// that nothing before it looked at what came in.
void RequireNoFault(const std::string& method, const grpc::Status& status) {
  const bool broke_constraint = status.error_code() == grpc::StatusCode::INTERNAL &&
                                absl::StrContains(status.error_message(), "constraint failed");
  RequireOfService(status.error_code() != grpc::StatusCode::UNKNOWN &&
                       status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED &&
                       !broke_constraint,
                   absl::StrCat(method, ": ", Text(status)));
}

grpc::Status CallOnce(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const std::string& message, std::string* answer) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  SetDeadline(context);
  context.set_wait_for_ready(true);
  grpc::CompletionQueue queue;
  const grpc::Slice bytes(message);
  const grpc::ByteBuffer request(&bytes, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool done = false;
  queue.Next(&tag, &done);
  if (!status.ok() || answer == nullptr) return status;
  std::vector<grpc::Slice> slices;
  RequireOfService(response.Dump(&slices).ok(), method + ": the answer cannot be read");
  answer->clear();
  for (const grpc::Slice& slice : slices) {
    answer->append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return status;
}

// gRPC's words for it depend on how far the call had come.
bool WasHungUpOn(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         absl::StrContains(status.error_message(), "Stream removed");
}

// A failure of the helpers of the tests ends the process, and their words alone are printed.
void MakeFailuresFatal() {
  testing::GTEST_FLAG(break_on_failure) = true;
  spdlog::set_level(spdlog::level::off);
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace

void RequireOfService(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "fault of the coordinator: %s\n", what.c_str());
  std::abort();
}

struct ServiceUnderFuzz::Parts {
  TestCluster cluster;
  TestNode watch{cluster, kWatchNode};
  std::shared_ptr<grpc::Channel> keeper = cluster.ConnectAdmin();
  std::unique_ptr<v1::AdminService::Stub> admin = v1::AdminService::NewStub(keeper);
  std::map<FuzzCaller, std::shared_ptr<grpc::Channel>> channels;
  std::set<std::string> needed;
  JoinToken token;
  int token_uses_left = 0;
};

ServiceUnderFuzz::ServiceUnderFuzz() {
  MakeFailuresFatal();
  parts_ = std::make_unique<Parts>();
  for (const char* name : {kFuzzedNode, kSteadyNode, kLeavingNode}) {
    const grpc::Status status = TestNode(parts_->cluster, name).Beat();
    RequireOfService(status.ok(), absl::StrCat("first heartbeat of ", name, ": ", Text(status)));
  }
  auto& channels = parts_->channels;
  channels[FuzzCaller::kNobody] = parts_->cluster.ConnectToEnrol();
  channels[FuzzCaller::kNode] = parts_->cluster.ConnectNode(kFuzzedNode);
  channels[FuzzCaller::kSteadyNode] = parts_->cluster.ConnectNode(kSteadyNode);
  channels[FuzzCaller::kViewer] = MakeAdmin(kFuzzViewer, /*viewer=*/true);
  channels[FuzzCaller::kAdmin] = MakeAdmin(kFuzzAdmin, /*viewer=*/false);
  v1::ListAdminsResponse admins;
  MustBeOk("ListAdmins", [&](grpc::ClientContext* context) {
    return parts_->admin->ListAdmins(context, {}, &admins);
  });
  parts_->needed = {kFuzzedNode, kSteadyNode, kWatchNode};
  for (const v1::AdminRecord& record : admins.admins()) parts_->needed.insert(record.name());
  RequireWell();
}

ServiceUnderFuzz::~ServiceUnderFuzz() = default;

std::shared_ptr<grpc::Channel> ServiceUnderFuzz::MakeAdmin(const std::string& name, bool viewer) {
  const std::string key = Must(MakeKey());
  v1::CreateAdminRequest request;
  request.set_name(name);
  request.set_role(viewer ? v1::VIEWER : v1::ADMIN);
  request.set_csr_der(Must(MakeCsr(key)));
  request.set_why("to be fuzzed with");
  v1::CreateAdminResponse response;
  MustBeOk("CreateAdmin", [&](grpc::ClientContext* context) {
    return parts_->admin->CreateAdmin(context, request, &response);
  });
  return parts_->cluster.Connect({key, response.certificate_pem()});
}

void ServiceUnderFuzz::MustBeOk(
    const char* what, const std::function<grpc::Status(grpc::ClientContext*)>& call) const {
  const grpc::Status status = CallAcrossReconnect(
      *parts_->keeper, kPatience, [&](grpc::ClientContext& context) { return call(&context); });
  RequireOfService(status.ok(), absl::StrCat(what, ": ", Text(status)));
}

grpc::Status ServiceUnderFuzz::Call(FuzzCaller who, const std::string& method,
                                    const std::string& message, std::string* answer) {
  const auto& channel = parts_->channels.at(who);
  grpc::Status status = CallOnce(channel, method, message, answer);
  // The coordinator hangs up on those of whom it knows nothing after some time and so many bytes:
  // then on the next connection.
  if (WasHungUpOn(status)) status = CallOnce(channel, method, message, answer);
  if (!WasHungUpOn(status)) RequireNoFault(method, status);
  return status;
}

void ServiceUnderFuzz::Judge() { parts_->cluster.coordinator().Tick(TestNow()); }

void ServiceUnderFuzz::RequireWell() {
  Judge();
  const grpc::Status beat = parts_->watch.Beat();
  RequireOfService(beat.ok(), "a good heartbeat: " + Text(beat));
  auto& admin = *parts_->admin;
  v1::Checklist checklist;
  v1::Snapshot snapshot;
  v1::ListNodesResponse nodes;
  v1::ListEventsResponse events;
  v1::ListAuditResponse audit;
  using Context = grpc::ClientContext*;
  MustBeOk("GetChecklist", [&](Context call) { return admin.GetChecklist(call, {}, &checklist); });
  MustBeOk("GetSnapshot", [&](Context call) { return admin.GetSnapshot(call, {}, &snapshot); });
  MustBeOk("ListNodes", [&](Context call) { return admin.ListNodes(call, {}, &nodes); });
  MustBeOk("ListEvents", [&](Context call) { return admin.ListEvents(call, {}, &events); });
  MustBeOk("ListAudit", [&](Context call) { return admin.ListAudit(call, {}, &audit); });
  RequireOfService(checklist.findings_size() > 0, "the checklist is empty");
  const bool shown =
      std::any_of(snapshot.nodes().begin(), snapshot.nodes().end(),
                  [](const v1::NodeSnapshot& node) { return node.name() == kWatchNode; });
  RequireOfService(shown, "the snapshot leaves a node out");
}

bool ServiceUnderFuzz::IsNeeded(const std::string& admin_or_node) const {
  return parts_->needed.count(admin_or_node) > 0;
}

JoinToken ServiceUnderFuzz::Token() {
  if (parts_->token_uses_left-- > 0) return parts_->token;
  v1::CreateTokenRequest request;
  request.set_node_pattern("n?");
  request.set_uses(kUsesOfToken);
  v1::CreateTokenResponse response;
  MustBeOk("CreateToken", [&](grpc::ClientContext* context) {
    return parts_->admin->CreateToken(context, request, &response);
  });
  parts_->token = Must(ParseJoinToken(response.token_secret()));
  parts_->token_uses_left = kUsesOfToken - 1;
  return parts_->token;
}

namespace {

std::unique_ptr<ServiceUnderFuzz> service_of_fuzzer;

ServiceUnderFuzz& ServiceForNextInput() {
  static uint64_t inputs = 0;
  if (inputs % kInputsOfOneService == 0) {
    service_of_fuzzer.reset();
    service_of_fuzzer = std::make_unique<ServiceUnderFuzz>();
    // Registered now, it runs before what the coordinator uses is gone.
    if (inputs == 0) std::atexit([] { service_of_fuzzer.reset(); });
  } else if (inputs % kInputsBetweenLooks == 0) {
    service_of_fuzzer->RequireWell();
  }
  ++inputs;
  return *service_of_fuzzer;
}

}  // namespace
}  // namespace connect_ha

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connect_ha;
  SendInput(ServiceForNextInput(), std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
