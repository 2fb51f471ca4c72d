#include "coordinator/rpc/server_generation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "coordinator/rpc/methods.h"

namespace connect_ha {
namespace {

// A node has its heartbeat, its nudge stream and a renewal under way at once.
constexpr int kMaxStreams = 4;
// What we send of it is some hundred bytes.
constexpr int kMaxMetadataBytes = 8 * 1024;

// GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, where gRPC has it.
constexpr char kDecompression[] = "grpc.per_message_decompression";

// Enrolment is a moment; who comes for it meanwhile comes again.
constexpr std::chrono::milliseconds kEnrolmentGrace{1000};

// What differs between the ports.
struct PortLimits {
  int receive_bytes;
  int threads;  // they wait for the disk, a group of calls at a time
  int idle_threads;
};
constexpr PortLimits kNodesLimits{kMaxNodesReceiveBytes, 512, 128};
constexpr PortLimits kEnrolmentLimits{kMaxEnrolmentReceiveBytes, 32, 4};

std::shared_ptr<grpc::ServerCredentials> Credentials(Port port,
                                                     const ServerCertificate& certificate) {
  grpc::SslServerCredentialsOptions options(
      port == Port::kNodes ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                           : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_root_certs = certificate.ca;
  options.pem_key_cert_pairs.push_back({certificate.key, certificate.certificate});
  return grpc::SslServerCredentials(options);
}

// gRPC 1.30 aborts when a server that has a quota is shut down, for another certificate or for
// good, while a call waits for its share of the memory. There TasksMax= of the unit is the limit.
bool MayHaveQuota() { return !absl::StartsWith(grpc::Version(), "1.30."); }

void SetLimits(const PortLimits& limits, grpc::ServerBuilder& builder) {
  if (MayHaveQuota()) {
    grpc::ResourceQuota quota("coordinator");
    quota.SetMaxThreads(limits.threads);
    builder.SetResourceQuota(quota);
  }
  builder.SetMaxReceiveMessageSize(limits.receive_bytes);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 2);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS,
                              limits.idle_threads);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Our clients do not compress, and a small message may become a large one.
  builder.AddChannelArgument(kDecompression, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // Nodes ping every 30 s. Ours finds a node that vanished in 80 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
}

std::chrono::system_clock::time_point After(std::chrono::milliseconds grace) {
  return std::chrono::system_clock::now() + grace;
}

// For connections that are handed over.
std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> AddAcceptor(
    Port port, const ServerCertificate& certificate, grpc::ServerBuilder& builder) {
  return builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      Credentials(port, certificate));
}

}  // namespace

ServerGeneration::ServerGeneration(Core& core, NodeLines lines, EndpointHooks nodes_hooks,
                                   EndpointHooks enrolment_hooks)
    : node_(core),
      enrolment_(core),
      renewal_(core),
      admin_(core, std::move(lines)),
      nodes_endpoint_(std::move(nodes_hooks)),
      enrolment_endpoint_(std::move(enrolment_hooks)) {
  AddNodesMethods(node_, admin_, renewal_, nodes_endpoint_);
  AddEnrolmentMethods(enrolment_, enrolment_endpoint_);
}

bool ServerGeneration::Start(const ServerCertificate& certificate) {
  grpc::EnableDefaultHealthCheckService(true);
  return StartNodes(certificate) && StartEnrolment(certificate);
}

bool ServerGeneration::StartNodes(const ServerCertificate& certificate) {
  grpc::ServerBuilder builder;
  SetLimits(kNodesLimits, builder);
  builder.RegisterService(&nodes_endpoint_);
  nodes_acceptor_ = AddAcceptor(Port::kNodes, certificate, builder);
  nudges_ =
      std::make_unique<Nudges>(nodes_endpoint_, builder.AddCompletionQueue(),
                               [this](const grpc::ServerContext& context, const std::string& node) {
                                 return node_.MayOpenNudges(context, node);
                               });
  nodes_server_ = builder.BuildAndStart();
  if (nodes_server_ == nullptr) return false;
  nudges_->Start();
  nodes_server_->GetHealthCheckService()->SetServingStatus(true);
  return true;
}

bool ServerGeneration::StartEnrolment(const ServerCertificate& certificate) {
  grpc::ServerBuilder builder;
  SetLimits(kEnrolmentLimits, builder);
  builder.RegisterService(&enrolment_endpoint_);
  enrolment_acceptor_ = AddAcceptor(Port::kEnrolment, certificate, builder);
  enrolment_server_ = builder.BuildAndStart();
  if (enrolment_server_ == nullptr) return false;
  enrolment_server_->GetHealthCheckService()->SetServingStatus(true);
  return true;
}

// gRPC wants no socket that it would have listened on, and nothing read ahead.
void ServerGeneration::Take(Port port, int socket) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = socket;
  const Acceptor& acceptor = port == Port::kNodes ? nodes_acceptor_ : enrolment_acceptor_;
  acceptor->HandleNewConnection(&connection);
}

void ServerGeneration::Stop(std::chrono::milliseconds grace) {
  if (enrolment_server_ != nullptr) {
    enrolment_server_->GetHealthCheckService()->SetServingStatus(false);
    enrolment_server_->Shutdown(After(std::min(grace, kEnrolmentGrace)));
    enrolment_server_.reset();
  }
  if (nodes_server_ == nullptr) return;
  nodes_server_->GetHealthCheckService()->SetServingStatus(false);
  nudges_->CloseAll({grpc::StatusCode::UNAVAILABLE, "the coordinator goes; call again"});
  nodes_server_->Shutdown(After(grace));
  nudges_.reset();
  nodes_server_.reset();
}

}  // namespace connect_ha
