#include "coordinator/rpc/server.h"

#include <grpcpp/grpcpp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/tls/channel.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

// A report larger than the limit still arrives, so that its refusal can say so on both ends; what
// is larger than this does not, and gRPC tells its caller alone (RESOURCE_EXHAUSTED).
constexpr int kMaxReceiveBytes = 2 * kMaxNodeMessageBytes;
// Threads wait for the disk, a group of calls at a time.
constexpr int kMaxThreads = 512;
constexpr int kIdleThreads = 128;
// Fewer nodes than this leaving are not worth walking the heap for.
constexpr size_t kManyNodes = 500;
// gRPC frees what it held for them in the course of half a minute.
constexpr int kTimesToReturn = 6;

std::shared_ptr<grpc::ServerCredentials> Credentials(const ServerCertificate& certificate) {
  // Enrolment comes without a certificate; a certificate that is sent must be ours.
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = certificate.ca;
  options.pem_key_cert_pairs.push_back({certificate.key, certificate.certificate});
  return grpc::SslServerCredentials(options);
}

// gRPC 1.30 aborts when a server that has a quota is shut down, for another certificate or for
// good, while a call waits for its share of the memory. There TasksMax= of the unit is the limit.
bool MayHaveQuota() { return !absl::StartsWith(grpc::Version(), "1.30."); }

void SetLimits(grpc::ServerBuilder& builder) {
  if (MayHaveQuota()) {
    grpc::ResourceQuota quota("coordinator");
    quota.SetMaxThreads(kMaxThreads);
    builder.SetResourceQuota(quota);
  }
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 2);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, kIdleThreads);
  // Nodes ping every 30 s. Ours finds a node that vanished in 80 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
}

// gRPC binds with SO_REUSEPORT, and so would share a port that another program listens on.
absl::Status CheckPortIsFree(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return absl::OkStatus();  // no IPv4 here
  const int yes = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int bound = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(probe);
  if (bound == 0 || error != EADDRINUSE) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("port ", port, " is taken by another program\nfix: ss -ltnp 'sport = :", port,
                   "' shows which; end it, or give another --listen"));
}

std::chrono::system_clock::time_point After(std::chrono::milliseconds grace) {
  return std::chrono::system_clock::now() + grace;
}

}  // namespace

// One server with one certificate.
class Server::Generation {
 public:
  Generation(Core& core, NodeLines lines)
      : node_(core), enrolment_(core), renewal_(core), admin_(core, std::move(lines)) {}

  // The port it listens on; 0 when it could not.
  int Start(const std::string& listen, const ServerCertificate& certificate) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(listen, Credentials(certificate), &port);
    SetLimits(builder);
    builder.RegisterService(&node_);
    builder.RegisterService(&enrolment_);
    builder.RegisterService(&renewal_);
    builder.RegisterService(&admin_);
    nudges_ = std::make_unique<Nudges>(
        node_, builder.AddCompletionQueue(),
        [this](const grpc::ServerContext& context, const std::string& node) {
          return node_.MayOpenNudges(context, node);
        });
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return 0;
    nudges_->Start();
    server_->GetHealthCheckService()->SetServingStatus(true);
    return port;
  }

  void Stop(std::chrono::milliseconds grace) {
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->SetServingStatus(false);
    nudges_->CloseAll({grpc::StatusCode::UNAVAILABLE, "the coordinator goes; call again"});
    server_->Shutdown(After(grace));
    nudges_.reset();
    server_.reset();
  }

  Nudges& nudges() { return *nudges_; }

 private:
  NodeServer node_;
  EnrolmentServer enrolment_;
  RenewalServer renewal_;
  AdminServer admin_;
  std::unique_ptr<Nudges> nudges_;
  std::unique_ptr<grpc::Server> server_;
};

Server::Server(Core core) : core_(core) {
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
  lines.hang_up = [each](const std::string& node) {
    each([&](Nudges& nudges) {
      nudges.Close(node, {grpc::StatusCode::PERMISSION_DENIED, "the node was removed"});
    });
  };
  return lines;
}

absl::Status Server::Launch(const ServerCertificate& certificate) {
  auto generation = std::make_shared<Generation>(core_, Lines());
  const int port = generation->Start(absl::StrCat(host_, ":", port_), certificate);
  if (port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", host_, ":", port_,
                     "\nfix: give an address of this machine (--listen), and check that "
                     "tls/coordinator.crt and .key belong together (connect-ha init makes them)"));
  }
  port_ = port;
  std::lock_guard lock(mutex_);
  generations_.push_back(std::move(generation));
  return absl::OkStatus();
}

absl::Status Server::Start(const std::string& listen, const ServerCertificate& certificate) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &port_)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot listen on \"", listen, "\": not host:port\nfix: --listen [::]:", kDefaultPort));
  }
  host_ = listen.substr(0, colon);
  const absl::Status free = port_ == 0 ? absl::OkStatus() : CheckPortIsFree(port_);
  return free.ok() ? Launch(certificate) : free;
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
