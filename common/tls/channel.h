// gRPC channels to the coordinator.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace connect_ha {

// The largest message that a node sends, and that the coordinator takes.
constexpr int kMaxNodeMessageBytes = 4 * 1024 * 1024;
// The largest answer that a node takes: the specification in force, the one to come, and one to
// preview, of up to 3 MiB each.
constexpr int kMaxNodeAnswerBytes = 12 * 1024 * 1024;
// The largest answer that an admin takes: the snapshot of a large cluster.
constexpr int kMaxAdminMessageBytes = 512 * 1024 * 1024;

struct ChannelOptions {
  std::string target;       // host:port
  std::string ca;           // PEM: whom to trust, nobody else
  std::string certificate;  // PEM, with key; both empty: no certificate of our own
  std::string key;
  int max_receive_bytes = kMaxNodeMessageBytes;
};

// Debian builds abseil with its search for lock cycles, which takes one lock of the whole process
// at each of gRPC's. For a process that uses gRPC; MakeChannel does it.
void SwitchOffLockCycleSearch();

// Connects at the first call. Keep-alive pings every 30 s find a dead peer in 40 s; reconnects
// back off from 1 s to 30 s, with jitter.
std::shared_ptr<grpc::Channel> MakeChannel(const ChannelOptions& options);

// Runs `call`, and up to three times more within a second or so while it is UNAVAILABLE or
// CANCELLED and the channel is up again: a coordinator that takes a new certificate closes the
// connections of the old one, and cancels what reaches it then. All of it ends within `timeout`:
// each `call` is given a context with what is left of that.
grpc::Status CallAcrossReconnect(grpc::Channel& channel, std::chrono::milliseconds timeout,
                                 const std::function<grpc::Status(grpc::ClientContext&)>& call);

// The same code and message.
absl::Status FromGrpc(const grpc::Status& status);
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace connect_ha
