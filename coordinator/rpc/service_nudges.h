// The nudge streams: one for each connected node, open for days, holding no thread. One thread
// serves them all from a completion queue. A node that opens another ends the one it had.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "coordinator/rpc/endpoint.h"

namespace connect_ha {

class Nudges {
 public:
  // Whether the caller may open this stream.
  using Authorise =
      std::function<grpc::Status(const grpc::ServerContext&, const std::string& node)>;

  // `queue` is from the builder of the server that serves `endpoint`, which has Nudges.
  Nudges(Endpoint& endpoint, std::unique_ptr<grpc::ServerCompletionQueue> queue,
         Authorise authorise);
  // The server must have been shut down.
  ~Nudges();
  Nudges(const Nudges&) = delete;
  Nudges& operator=(const Nudges&) = delete;

  // After the server started.
  void Start();

  // All below: any thread. A nudge that finds one still on its way is one with it.
  void Nudge(const std::string& node);
  void NudgeAll();
  // Ends the node's streams with this status.
  void Close(const std::string& node, const grpc::Status& status);
  // Ends all of them, before the server is shut down: each node opens its next one elsewhere.
  void CloseAll(const grpc::Status& status);
  size_t open() const;

 private:
  struct Stream;
  struct Tag;

  void Loop();
  void Handle(const Tag& tag, bool ok);
  void Started(Stream& stream);
  grpc::Status Admit(Stream& stream);
  // With the lock held:
  void Await();
  void Write(Stream& stream);
  void Finish(Stream& stream, const grpc::Status& status);
  void Next(Stream& stream);
  void Forget(Stream& stream);

  Endpoint& endpoint_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const Authorise authorise_;
  mutable std::mutex mutex_;  // the streams and what is in them
  bool queue_shut_ = false;   // nothing may be begun on the queue any more
  bool closing_ = false;
  grpc::Status closing_status_;
  std::map<std::string, Stream*> open_;  // by node
  std::thread thread_;
};

}  // namespace connect_ha
