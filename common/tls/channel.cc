#include "common/tls/channel.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/synchronization/mutex.h"

namespace connect_ha {
namespace {

using namespace std::chrono_literals;

// Between the tries of a call; so long the connection that ends may still be taken for a good one.
constexpr std::chrono::milliseconds kPauses[] = {50ms, 200ms, 800ms};

bool MayPass(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

}  // namespace

void SwitchOffLockCycleSearch() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

std::shared_ptr<grpc::Channel> MakeChannel(const ChannelOptions& options) {
  SwitchOffLockCycleSearch();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.ca;
  ssl.pem_cert_chain = options.certificate;
  ssl.pem_private_key = options.key;

  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // GRPC_ARG_HTTP2_BDP_PROBE stays on, though it costs a ping with each answer: without it a
  // message of some megabytes may stand still in gRPC 1.30.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 500);
  // How long one try may take: when thousands of nodes come back at once, their handshakes queue
  // for the coordinator's processors, and giving up early would only begin them anew.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20'000);
  // Between two tries; who calls meanwhile fails at once.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetMaxReceiveMessageSize(options.max_receive_bytes);
  // Two channels to one target, one with the certificate before a renewal, share nothing.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The way to the coordinator is the one that was asked for: no proxy from the environment, no
  // service configuration from DNS.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // CallAcrossReconnect tries again. The channel's own retries, an experiment in gRPC 1.30, leave a
  // call hanging there when the server goes.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetUserAgentPrefix("connect-ha/" CONNECT_HA_VERSION);
  return grpc::CreateCustomChannel(options.target, grpc::SslCredentials(ssl), arguments);
}

grpc::Status CallAcrossReconnect(grpc::Channel& channel, std::chrono::milliseconds timeout,
                                 const std::function<grpc::Status(grpc::ClientContext&)>& call) {
  // Of the steady clock, since a step of the other one must not give a call all the time there is;
  // gRPC takes the other, for each call anew.
  const auto end = std::chrono::steady_clock::now() + timeout;
  const auto within = [&end](std::chrono::nanoseconds most) {
    const std::chrono::nanoseconds left = end - std::chrono::steady_clock::now();
    return std::chrono::system_clock::now() +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(std::min(left, most));
  };
  const auto run = [&] {
    grpc::ClientContext context;
    context.set_deadline(within(timeout));
    return call(context);
  };
  grpc::Status status = run();
  for (const std::chrono::milliseconds pause : kPauses) {
    if (!MayPass(status) || std::chrono::steady_clock::now() + pause >= end) break;
    std::this_thread::sleep_for(pause);
    if (!channel.WaitForConnected(within(2s))) break;
    status = run();
  }
  return status;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace connect_ha
