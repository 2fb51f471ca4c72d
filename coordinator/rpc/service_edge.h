// What every method does at the edge.
#pragma once

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/channel.h"

namespace connect_ha {

inline Time TimeOfCall() {
  return std::chrono::time_point_cast<Time::duration>(Time::clock::now());
}

// Gives the caller the answer or the error.
template <typename Message>
grpc::Status Reply(absl::StatusOr<Message> answer, Message* response) {
  if (!answer.ok()) return ToGrpc(answer.status());
  *response = *std::move(answer);
  return grpc::Status::OK;
}

}  // namespace connect_ha
