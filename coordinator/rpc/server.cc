#include "coordinator/rpc/server.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/tls/channel.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

// Fewer nodes than this leaving are not worth walking the heap for.
constexpr size_t kManyNodes = 500;
// gRPC frees what it held for them in the course of half a minute.
constexpr int kTimesToReturn = 6;

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

Server::Server(Core core)
    : core_(core), connections_(FitToFiles({}, RaiseFileLimit()), [this](Port port, int socket) {
        return HandOver(port, socket);
      }) {
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
  lines.hang_up_on_admin = [this](const std::string& admin) {
    connections_.Forget(absl::StrCat("admin/", admin));
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
  auto generation =
      std::make_shared<ServerGeneration>(core_, Lines(), NodesHooks(), EnrolmentHooks());
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
  std::shared_ptr<ServerGeneration> old;
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
  std::vector<std::shared_ptr<ServerGeneration>> generations;
  {
    std::lock_guard lock(mutex_);
    generations.swap(generations_);
  }
  for (const auto& generation : generations) generation->Stop(grace);
}

void Server::Nudge(const std::string& node) {
  std::lock_guard lock(mutex_);
  for (const auto& generation : generations_) generation->nudges().Nudge(node);
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
