#include "coordinator/rpc/endpoint.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/tls/channel.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {
namespace {

grpc::Status NoMessage(const google::protobuf::Message& message) {
  return {grpc::StatusCode::INTERNAL,
          absl::StrCat("the message is no ", message.GetDescriptor()->name())};
}

grpc::Status Parse(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ByteBuffer shared(bytes);  // the reader takes none that is const
  grpc::ProtoBufferReader reader(&shared);
  if (!reader.status().ok()) return reader.status();
  return message.ParseFromZeroCopyStream(&reader) ? grpc::Status::OK : NoMessage(message);
}

std::string Flat(const grpc::ByteBuffer& bytes) {
  std::string flat;
  flat.reserve(bytes.Length());
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return flat;
  for (const grpc::Slice& slice : slices) {
    flat.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return flat;
}

}  // namespace

grpc::Status Endpoint::Read(const grpc::ServerContext& context, const grpc::ByteBuffer& bytes,
                            const MessageBounds& bounds, google::protobuf::Message& message) const {
  if (IsSmall(bytes.Length(), bounds)) return Parse(bytes, message);
  const std::string flat = Flat(bytes);
  const absl::Status within = CheckBounds(flat, *message.GetDescriptor(), bounds);
  if (!within.ok()) return ToGrpc(hooks_.refuse(context, within));
  return message.ParseFromString(flat) ? grpc::Status::OK : NoMessage(message);
}

std::string Endpoint::PathOf(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const google::protobuf::MethodDescriptor& method = *file.service(i)->method(j);
      if (method.input_type() == &request) {
        return absl::StrCat("/", file.service(i)->full_name(), "/", method.name());
      }
    }
  }
  return "";  // gRPC refuses to start with it
}

void Endpoint::AddHandler(const std::string& path, grpc::internal::RpcMethod::RpcType type,
                          grpc::internal::MethodHandler* handler) {
  paths_.push_back(path);
  AddMethod(new grpc::internal::RpcServiceMethod(paths_.back().c_str(), type, handler));
}

void Endpoint::AddNudges() {
  nudges_ = static_cast<int>(paths_.size());
  AddHandler(PathOf(*v1::NudgesRequest::descriptor()), grpc::internal::RpcMethod::SERVER_STREAMING,
             nullptr);
  MarkMethodRaw(nudges_);
}

void Endpoint::RequestNudges(grpc::ServerContext* context, grpc::ByteBuffer* request,
                             grpc::ServerAsyncWriter<grpc::ByteBuffer>* writer,
                             grpc::CompletionQueue* calls, grpc::ServerCompletionQueue* notices,
                             void* tag) {
  RequestAsyncServerStreaming(nudges_, context, request, writer, calls, notices, tag);
}

}  // namespace connect_ha
