#include "agent/gate/node_gate.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/log.h"

namespace connect_ha {
namespace {

// Of who asks before Connect was looked at: a little shorter than a load balancer's, by the README.
constexpr std::chrono::milliseconds kPatience{1'800};
constexpr int kUnavailable = 503;
constexpr char kInNone[] = "closed: this node is in no cluster\n";

GateKeeperOptions Keeping(const std::string& connect_unit) {
  GateKeeperOptions options;
  options.connect_unit = connect_unit;
  return options;
}

}  // namespace

GateServerOptions ClosedToAll() {
  GateServerOptions options;
  options.health = [] { return GateAnswer{kUnavailable, kInNone}; };
  options.page = [] { return std::string(kInNone); };
  return options;
}

NodeGate::NodeGate(const std::string& connect_unit) : keeper_(Keeping(connect_unit)) {}

void NodeGate::Open(GateOptions options, Host& host, std::function<void(uint32_t)> gather,
                    const std::vector<Fd>& sockets) {
  GateServerOptions answering;
  answering.node = options.node;
  answering.health = [this] { return gate_->Health(kPatience); };
  answering.page = [this] { return gate_->Page(); };
  options.is_heard = !sockets.empty();
  gate_ = std::make_unique<Gate>(std::move(options), host);
  const absl::Status hears = keeper_.Start(*gate_, std::move(gather));
  if (!hears.ok()) {
    spdlog::error("event=gate-hears-nothing error={}", LogValue(std::string(hears.message())));
  }
  if (sockets.empty()) {
    // systemd takes no socket up for a service that runs.
    spdlog::warn(
        "event=no-gate fix=\"systemctl stop connect-ha-agent; systemctl start "
        "connect-ha-gate.socket connect-ha-agent\"");
  }
  server_ = std::make_unique<GateServer>(sockets, std::move(answering));
}

void NodeGate::Close() {
  server_.reset();
  keeper_.Stop();
}

}  // namespace connect_ha
