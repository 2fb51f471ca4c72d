#include "coordinator/rpc/service_unread.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

#include "common/log.h"
#include "common/log_pace.h"
#include "common/tls/certificate.h"
#include "coordinator/rpc/service_caller.h"

namespace connect_ha {
namespace {

// gRPC runs what comes before a method, the method and what comes after it on one thread.
thread_local bool message_was_read = false;
thread_local std::shared_ptr<const void> kept_until_sent;

class Watch final : public grpc::Server::GlobalCallbacks {
 public:
  void PreSynchronousRequest(grpc::ServerContext*) override { message_was_read = false; }
  void PostSynchronousRequest(grpc::ServerContext* context) override {
    kept_until_sent.reset();
    if (message_was_read) return;
    const std::string address = AddressOf(context->peer());
    const auto now = std::chrono::time_point_cast<Time::duration>(Time::clock::now());
    if (!pace_.Allows(NeighbourOf(address), now)) return;
    spdlog::warn("event=REFUSED address={} actor={} reason={}", address,
                 LogValue(ActorOf(*context)),
                 LogValue("its message is not of the method's type, or no thread was free for it"));
  }

 private:
  LogPace pace_;
};

}  // namespace

void MessageWasRead() { message_was_read = true; }

void KeepUntilSent(std::shared_ptr<const void> kept) { kept_until_sent = std::move(kept); }

void LogUnreadMessages() {
  static std::once_flag once;
  // gRPC 1.30 takes the object, later versions want it to live as long as the process.
  std::call_once(once,
                 [] { grpc::Server::SetGlobalCallbacks(std::make_unique<Watch>().release()); });
}

}  // namespace connect_ha
