#include "coordinator/rpc/service_nudges.h"

#include <utility>

namespace connect_ha {

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
  v1::NudgesRequest request;
  grpc::ServerAsyncWriter<v1::Nudge> writer{&context};
  bool writing = false;
  bool nudge_again = false;
  bool to_finish = false;
  grpc::Status finish_status;
  bool finish_sent = false;
  bool finish_done = false;
  bool over = false;

  bool busy() const { return writing || finish_sent != finish_done; }
};

Nudges::Nudges(NodeServiceWithNudges& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
               Authorise authorise)
    : service_(service), queue_(std::move(queue)), authorise_(std::move(authorise)) {}

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
  service_.RequestNudges(&waiting->context, &waiting->request, &waiting->writer, queue_.get(),
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

void Nudges::Started(Stream& stream) {
  const grpc::Status allowed = authorise_(stream.context, stream.request.node());
  std::lock_guard lock(mutex_);
  Await();
  if (!allowed.ok() || closing_) {
    Finish(stream, allowed.ok() ? closing_status_ : allowed);
    return;
  }
  if (queue_shut_) return;
  open_.emplace(stream.request.node(), &stream);
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
  stream.writer.Write(v1::Nudge(), &stream.written);
}

void Nudges::Finish(Stream& stream, const grpc::Status& status) {
  stream.to_finish = true;
  stream.finish_status = status;
  if (stream.writing || stream.finish_sent || stream.over || queue_shut_) return;
  stream.finish_sent = true;
  stream.writer.Finish(status, &stream.finished);
}

void Nudges::Forget(Stream& stream) {
  const auto [begin, end] = open_.equal_range(stream.request.node());
  for (auto it = begin; it != end; ++it) {
    if (it->second != &stream) continue;
    open_.erase(it);
    return;
  }
}

void Nudges::Nudge(const std::string& node) {
  std::lock_guard lock(mutex_);
  const auto [begin, end] = open_.equal_range(node);
  for (auto it = begin; it != end; ++it) Write(*it->second);
}

void Nudges::NudgeAll() {
  std::lock_guard lock(mutex_);
  for (const auto& [node, stream] : open_) Write(*stream);
}

void Nudges::Close(const std::string& node, const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  const auto [begin, end] = open_.equal_range(node);
  for (auto it = begin; it != end; ++it) Finish(*it->second, status);
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
