#include "coordinator/rpc/service_nudges.h"

#include <utility>

#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/rpc/methods.h"

namespace connect_ha {
namespace {

// A v1::Nudge on the wire.
grpc::ByteBuffer EmptyMessage() {
  const grpc::Slice nothing;
  return grpc::ByteBuffer(&nothing, 1);
}

}  // namespace

// What came back from the completion queue, and for whom.
struct Nudges::Tag {
  enum Kind { kStarted, kWritten, kFinished, kDone };
  Stream* stream;
  Kind kind;
};

// Lives until the call is over (kDone) and nothing that it began is on its way.
struct Nudges::Stream {
  Tag started{this, Tag::kStarted};
  Tag written{this, Tag::kWritten};
  Tag finished{this, Tag::kFinished};
  Tag done{this, Tag::kDone};
  grpc::ServerContext context;
  grpc::ByteBuffer request;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer{&context};
  std::string node;  // once it is let in
  bool writing = false;
  bool nudge_again = false;
  bool to_finish = false;
  grpc::Status finish_status;
  bool finish_sent = false;
  bool finish_done = false;
  bool over = false;

  bool busy() const { return writing || finish_sent != finish_done; }
};

Nudges::Nudges(Endpoint& endpoint, std::unique_ptr<grpc::ServerCompletionQueue> queue,
               Authorise authorise)
    : endpoint_(endpoint), queue_(std::move(queue)), authorise_(std::move(authorise)) {}

Nudges::~Nudges() {
  {
    std::lock_guard lock(mutex_);
    queue_shut_ = true;
    queue_->Shutdown();
  }
  if (thread_.joinable()) thread_.join();
}

void Nudges::Start() {
  {
    std::lock_guard lock(mutex_);
    Await();
  }
  thread_ = std::thread([this] { Loop(); });
}

void Nudges::Loop() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) Handle(*static_cast<Tag*>(tag), ok);
}

// Freed when its start fails (the server stops) or its call is over.
void Nudges::Await() {
  if (queue_shut_) return;
  auto stream = std::make_unique<Stream>();
  stream->context.AsyncNotifyWhenDone(&stream->done);
  Stream* const waiting = stream.release();
  endpoint_.RequestNudges(&waiting->context, &waiting->request, &waiting->writer, queue_.get(),
                          queue_.get(), &waiting->started);
}

void Nudges::Handle(const Tag& tag, bool ok) {
  Stream& stream = *tag.stream;
  if (tag.kind == Tag::kStarted) {
    if (ok) return Started(stream);
    const std::unique_ptr<Stream> never_called(&stream);
    return;
  }
  std::unique_lock lock(mutex_);
  if (tag.kind == Tag::kDone) {
    stream.over = true;
    Forget(stream);
  } else if (tag.kind == Tag::kWritten) {
    stream.writing = false;
    if (ok) Next(stream);
  } else {
    stream.finish_done = true;
  }
  if (!stream.over || stream.busy()) return;
  lock.unlock();
  const std::unique_ptr<Stream> ended(&stream);
}

grpc::Status Nudges::Admit(Stream& stream) {
  v1::NudgesRequest request;
  grpc::Status status = endpoint_.Read(stream.context, stream.request, NudgesBounds(), request);
  stream.request.Clear();
  if (!status.ok()) return status;
  status = authorise_(stream.context, request.node());
  endpoint_.Answered(stream.context, status);
  stream.node = request.node();
  return status;
}

void Nudges::Started(Stream& stream) {
  const grpc::Status allowed = Admit(stream);
  std::lock_guard lock(mutex_);
  Await();
  if (!allowed.ok() || closing_) {
    Finish(stream, allowed.ok() ? closing_status_ : allowed);
    return;
  }
  if (queue_shut_) return;
  Stream*& open = open_[stream.node];
  if (open != nullptr) {
    Finish(*open, {grpc::StatusCode::ABORTED, "this node has opened another stream"});
  }
  open = &stream;
  stream.writing = true;  // the headers tell the node that the stream is open
  stream.writer.SendInitialMetadata(&stream.written);
}

void Nudges::Next(Stream& stream) {
  if (stream.to_finish) {
    Finish(stream, stream.finish_status);
  } else if (std::exchange(stream.nudge_again, false)) {
    Write(stream);
  }
}

void Nudges::Write(Stream& stream) {
  if (stream.to_finish || stream.over || queue_shut_) return;
  if (stream.writing) {
    stream.nudge_again = true;
    return;
  }
  stream.writing = true;
  stream.writer.Write(EmptyMessage(), &stream.written);
}

void Nudges::Finish(Stream& stream, const grpc::Status& status) {
  stream.to_finish = true;
  stream.finish_status = status;
  if (stream.writing || stream.finish_sent || stream.over || queue_shut_) return;
  stream.finish_sent = true;
  stream.writer.Finish(status, &stream.finished);
}

void Nudges::Forget(Stream& stream) {
  const auto open = open_.find(stream.node);
  if (open != open_.end() && open->second == &stream) open_.erase(open);
}

void Nudges::Nudge(const std::string& node) {
  std::lock_guard lock(mutex_);
  const auto open = open_.find(node);
  if (open != open_.end()) Write(*open->second);
}

void Nudges::NudgeAll() {
  std::lock_guard lock(mutex_);
  for (const auto& [node, stream] : open_) Write(*stream);
}

void Nudges::Close(const std::string& node, const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  const auto open = open_.find(node);
  if (open != open_.end()) Finish(*open->second, status);
}

void Nudges::CloseAll(const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  closing_ = true;
  closing_status_ = status;
  for (const auto& [node, stream] : open_) Finish(*stream, status);
}

size_t Nudges::open() const {
  std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace connect_ha
