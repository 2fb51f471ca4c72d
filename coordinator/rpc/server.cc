#include "coordinator/rpc/server.h"

#include <grpcpp/grpcpp.h>
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/tls/channel.h"
#include "coordinator/rpc/endpoint.h"
#include "coordinator/rpc/methods.h"
#include "coordinator/rpc/service_nudges.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;

// Fewer nodes than this leaving are not worth walking the heap for.
constexpr size_t kManyNodes = 500;
// gRPC frees what it held for them in the course of half a minute.
constexpr int kTimesToReturn = 6;
// A node has its heartbeat, its nudge stream and a renewal under way at once.
constexpr int kMaxStreams = 4;
// What we send of it is some hundred bytes.
constexpr int kMaxMetadataBytes = 8 * 1024;

// GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, where gRPC has it.
constexpr char kDecompression[] = "grpc.per_message_decompression";

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

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

struct HostAndPort {
  std::string host;  // an IPv6 address in brackets
  int port = 0;
};

absl::StatusOr<HostAndPort> Split(const std::string& listen, const std::string& option,
                                  int usual_port) {
  HostAndPort split;
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &split.port) ||
      split.port < 0 || split.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot listen on \"", listen, "\": not host:port\nfix: ", option, " [::]:", usual_port));
  }
  split.host = listen.substr(0, colon);
  return split;
}

// What a caller is let in for is decided by the method; who was not is nobody.
bool WasLetIn(const grpc::Status& answer) {
  return answer.error_code() != grpc::StatusCode::UNAUTHENTICATED &&
         answer.error_code() != grpc::StatusCode::PERMISSION_DENIED;
}

}  // namespace

// One server for each port, with one certificate.
class Server::Generation {
 public:
  Generation(Core& core, NodeLines lines, EndpointHooks nodes_hooks, EndpointHooks enrolment_hooks)
      : node_(core),
        enrolment_(core),
        renewal_(core),
        admin_(core, std::move(lines)),
        nodes_endpoint_(std::move(nodes_hooks)),
        enrolment_endpoint_(std::move(enrolment_hooks)) {
    AddNodesMethods(node_, admin_, renewal_, nodes_endpoint_);
    AddEnrolmentMethods(enrolment_, enrolment_endpoint_);
  }

  // False when gRPC does not take the certificate.
  bool Start(const ServerCertificate& certificate) {
    grpc::EnableDefaultHealthCheckService(true);
    return StartNodes(certificate) && StartEnrolment(certificate);
  }

  void Take(Port port, int socket) {
    ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = socket;
    (port == Port::kNodes ? nodes_acceptor_ : enrolment_acceptor_)
        ->HandleNewConnection(&connection);
  }

  void Stop(std::chrono::milliseconds grace) {
    if (enrolment_server_ != nullptr) {
      enrolment_server_->GetHealthCheckService()->SetServingStatus(false);
      enrolment_server_->Shutdown(After(std::min(grace, std::chrono::milliseconds(1000))));
      enrolment_server_.reset();
    }
    if (nodes_server_ == nullptr) return;
    nodes_server_->GetHealthCheckService()->SetServingStatus(false);
    nudges_->CloseAll({grpc::StatusCode::UNAVAILABLE, "the coordinator goes; call again"});
    nodes_server_->Shutdown(After(grace));
    nudges_.reset();
    nodes_server_.reset();
  }

  Nudges& nudges() { return *nudges_; }

 private:
  bool StartNodes(const ServerCertificate& certificate) {
    grpc::ServerBuilder builder;
    SetLimits(kNodesLimits, builder);
    builder.RegisterService(&nodes_endpoint_);
    nodes_acceptor_ = Acceptor(Port::kNodes, certificate, builder);
    nudges_ = std::make_unique<Nudges>(
        nodes_endpoint_, builder.AddCompletionQueue(),
        [this](const grpc::ServerContext& context, const std::string& node) {
          return node_.MayOpenNudges(context, node);
        });
    nodes_server_ = builder.BuildAndStart();
    if (nodes_server_ == nullptr) return false;
    nudges_->Start();
    nodes_server_->GetHealthCheckService()->SetServingStatus(true);
    return true;
  }

  bool StartEnrolment(const ServerCertificate& certificate) {
    grpc::ServerBuilder builder;
    SetLimits(kEnrolmentLimits, builder);
    builder.RegisterService(&enrolment_endpoint_);
    enrolment_acceptor_ = Acceptor(Port::kEnrolment, certificate, builder);
    enrolment_server_ = builder.BuildAndStart();
    if (enrolment_server_ == nullptr) return false;
    enrolment_server_->GetHealthCheckService()->SetServingStatus(true);
    return true;
  }

  static std::unique_ptr<ExternalConnectionAcceptor> Acceptor(Port port,
                                                              const ServerCertificate& certificate,
                                                              grpc::ServerBuilder& builder) {
    return builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        Credentials(port, certificate));
  }

  NodeServer node_;
  EnrolmentServer enrolment_;
  RenewalServer renewal_;
  AdminServer admin_;
  Endpoint nodes_endpoint_;
  Endpoint enrolment_endpoint_;
  std::unique_ptr<ExternalConnectionAcceptor> nodes_acceptor_;
  std::unique_ptr<ExternalConnectionAcceptor> enrolment_acceptor_;
  std::unique_ptr<Nudges> nudges_;
  std::unique_ptr<grpc::Server> nodes_server_;
  std::unique_ptr<grpc::Server> enrolment_server_;
};

Server::Server(Core core, const ConnectionBounds& bounds)
    : core_(core),
      connections_(FitToFiles(bounds, RaiseFileLimit()),
                   [this](Port port, int socket) { return HandOver(port, socket); }) {
  LogUnreadMessages();
  SwitchOffLockCycleSearch();
}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

NodeLines Server::Lines() {
  const auto each = [this](const std::function<void(Nudges&)>& action) {
    std::lock_guard lock(mutex_);
    for (const auto& generation : generations_) action(generation->nudges());
  };
  NodeLines lines;
  lines.nudge_all = [each] { each([](Nudges& nudges) { nudges.NudgeAll(); }); };
  lines.hang_up = [this, each](const std::string& node) {
    each([&](Nudges& nudges) {
      nudges.Close(node, {grpc::StatusCode::PERMISSION_DENIED, "the node was removed"});
    });
    connections_.Forget(absl::StrCat("node/", node));
  };
  return lines;
}

EndpointHooks Server::EnrolmentHooks() {
  EndpointHooks hooks;
  hooks.refuse = [this](const grpc::ServerContext& context, const absl::Status& why) {
    MessageWasRead();
    return core_.callers.Refuse(context, ActorOf(context), why, Now());
  };
  hooks.answered = [](const grpc::ServerContext&, const grpc::Status&) {};
  return hooks;
}

EndpointHooks Server::NodesHooks() {
  EndpointHooks hooks = EnrolmentHooks();
  hooks.answered = [this](const grpc::ServerContext& context, const grpc::Status& answer) {
    if (WasLetIn(answer)) connections_.Admit(context.peer(), [&] { return ActorOf(context); });
  };
  return hooks;
}

bool Server::HandOver(Port port, int socket) {
  std::lock_guard lock(newest_mutex_);
  if (newest_ == nullptr) return false;
  newest_->Take(port, socket);
  return true;
}

absl::Status Server::Launch(const ServerCertificate& certificate) {
  auto generation = std::make_shared<Generation>(core_, Lines(), NodesHooks(), EnrolmentHooks());
  if (!generation->Start(certificate)) {
    generation->Stop(std::chrono::milliseconds(0));
    return absl::UnavailableError(
        "gRPC does not take the coordinator's certificate\nfix: check that tls/coordinator.crt "
        "and .key belong together (connect-ha init makes them)");
  }
  {
    std::lock_guard lock(mutex_);
    generations_.push_back(generation);
  }
  std::lock_guard lock(newest_mutex_);
  newest_ = generation.get();
  return absl::OkStatus();
}

absl::Status Server::Start(const std::string& listen, const std::string& enrol_listen,
                           const ServerCertificate& certificate) {
  const auto nodes = Split(listen, "--listen", kDefaultPort);
  if (!nodes.ok()) return nodes.status();
  const auto enrolment = Split(enrol_listen, "--enrol-listen", kDefaultPort + 1);
  if (!enrolment.ok()) return enrolment.status();
  const auto port = connections_.Listen(Port::kNodes, nodes->host, nodes->port, "--listen");
  if (!port.ok()) return port.status();
  const auto enrolment_port =
      connections_.Listen(Port::kEnrolment, enrolment->host, enrolment->port, "--enrol-listen");
  if (!enrolment_port.ok()) return enrolment_port.status();
  port_ = *port;
  enrolment_port_ = *enrolment_port;
  const absl::Status launched = Launch(certificate);
  return launched.ok() ? connections_.Start() : launched;
}

absl::Status Server::Replace(const ServerCertificate& certificate,
                             std::chrono::milliseconds grace) {
  std::shared_ptr<Generation> old;
  {
    std::lock_guard lock(mutex_);
    old = generations_.front();
  }
  const absl::Status launched = Launch(certificate);
  if (!launched.ok()) return launched;
  {
    std::lock_guard lock(mutex_);
    generations_.erase(generations_.begin());
  }
  old->Stop(grace);
  return absl::OkStatus();
}

void Server::Stop(std::chrono::milliseconds grace) {
  connections_.Stop();
  {
    std::lock_guard lock(newest_mutex_);
    newest_ = nullptr;
  }
  std::vector<std::shared_ptr<Generation>> generations;
  {
    std::lock_guard lock(mutex_);
    generations.swap(generations_);
  }
  for (const auto& generation : generations) generation->Stop(grace);
}

size_t Server::nodes_connected() const {
  std::lock_guard lock(mutex_);
  size_t connected = 0;
  for (const auto& generation : generations_) connected += generation->nudges().open();
  return connected;
}

void Server::ReturnMemory() {
  const size_t connected = nodes_connected();
  most_connected_ = std::max(most_connected_, connected);
  if (most_connected_ - connected >= kManyNodes) {
    most_connected_ = connected;
    times_to_return_ = kTimesToReturn;
  }
  if (times_to_return_ == 0) return;
  --times_to_return_;
  malloc_trim(0);
}

}  // namespace connect_ha
