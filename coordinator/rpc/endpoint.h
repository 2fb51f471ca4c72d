// The methods of one port, as gRPC has them: bytes, which are bounded before they are parsed.
// The services' generated base classes parse first.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <list>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "connect_ha/v1/admin_service.grpc.pb.h"  // with it, what generated code needs of gRPC
#include "coordinator/rpc/message_bounds.h"

namespace connect_ha {

// Who is told of what came; called on gRPC's threads.
struct EndpointHooks {
  // A message over its bounds. Returns what its caller is told.
  std::function<absl::Status(const grpc::ServerContext& context, const absl::Status& why)> refuse;
  // A method's answer, before it is sent.
  std::function<void(const grpc::ServerContext& context, const grpc::Status& answer)> answered;
};

class Endpoint final : public grpc::Service {
 public:
  explicit Endpoint(EndpointHooks hooks) : hooks_(std::move(hooks)) {}

  // The method that takes a `Request`, which is of no other method of its file. `service` is
  // borrowed; a method of a generated base class calls what a class derived from it has.
  template <typename Owner, typename Request, typename Response>
  void Add(Owner& service,
           grpc::Status (Owner::*method)(grpc::ServerContext*, const Request*, Response*),
           MessageBounds bounds = {}) {
    AddAt(PathOf(*Request::descriptor()), service, method, std::move(bounds));
  }
  // The same, under another path ("/connect_ha.v1.EnrolmentService/Renew").
  template <typename Owner, typename Request, typename Response>
  void AddAt(const std::string& path, Owner& service,
             grpc::Status (Owner::*method)(grpc::ServerContext*, const Request*, Response*),
             MessageBounds bounds = {}) {
    const auto call = [this, &service, method, bounds = std::move(bounds)](
                          Endpoint*, grpc::ServerContext* context, const grpc::ByteBuffer* bytes,
                          Response* response) {
      Request request;
      grpc::Status status = Read(*context, *bytes, bounds, request);
      if (!status.ok()) return status;
      status = (service.*method)(context, &request, response);
      hooks_.answered(*context, status);
      return status;
    };
    AddHandler(
        path, grpc::internal::RpcMethod::NORMAL_RPC,
        new grpc::internal::RpcMethodHandler<Endpoint, grpc::ByteBuffer, Response>(call, this));
  }

  // NodeService.Nudges, whose calls are asked for one by one. Once.
  void AddNudges();
  void RequestNudges(grpc::ServerContext* context, grpc::ByteBuffer* request,
                     grpc::ServerAsyncWriter<grpc::ByteBuffer>* writer,
                     grpc::CompletionQueue* calls, grpc::ServerCompletionQueue* notices, void* tag);

  // OK, or what the caller is told. For the bytes of calls that are asked for.
  grpc::Status Read(const grpc::ServerContext& context, const grpc::ByteBuffer& bytes,
                    const MessageBounds& bounds, google::protobuf::Message& message) const;
  // A call that was asked for was let in.
  void Answered(const grpc::ServerContext& context, const grpc::Status& answer) const {
    hooks_.answered(context, answer);
  }

 private:
  static std::string PathOf(const google::protobuf::Descriptor& request);
  // Takes the handler; null: its calls are asked for.
  void AddHandler(const std::string& path, grpc::internal::RpcMethod::RpcType type,
                  grpc::internal::MethodHandler* handler);

  const EndpointHooks hooks_;
  std::list<std::string> paths_;  // gRPC keeps pointers to them
  int nudges_ = -1;               // index of the method
};

}  // namespace connect_ha
