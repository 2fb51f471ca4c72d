#include "coordinator/rpc/port/connections.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/time.h"
#include "coordinator/rpc/port/peer.h"

namespace connect_ha {
namespace {

// While somebody's bytes or time are counted.
constexpr int kLookEveryMs = 10;
// Taken at a time from one listening socket.
constexpr int kAcceptAtOnce = 64;
constexpr int kEventsAtOnce = 256;

// What an event is about: above these, a connection's id.
constexpr uint64_t kWake = 0;
constexpr uint64_t kFirstListener = 1;
constexpr uint64_t kFirstConnection = 1024;

ConnectionTable::Time Now() { return std::chrono::steady_clock::now(); }

Time WallNow() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

absl::Status SystemError(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::generic_category().message(errno)));
}

bool Watch(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

ino_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Connections::Connections(const ConnectionBounds& bounds, HandOver hand_over)
    : hand_over_(std::move(hand_over)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      table_(bounds) {}

Connections::~Connections() { Stop(); }

absl::StatusOr<int> Connections::Listen(Port port, const std::string& host, int number,
                                        const std::string& option) {
  auto listening = ListenOn(host, number, option);
  if (!listening.ok()) return listening.status();
  for (OwnedFd& socket : listening->sockets) listeners_.emplace_back(port, std::move(socket));
  return listening->port;
}

absl::Status Connections::Start() {
  if (!Watch(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), EPOLLIN, kWake)) {
    return SystemError("cannot watch connections");
  }
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (!Watch(epoll_.get(), EPOLL_CTL_ADD, listeners_[i].second.get(), EPOLLIN,
               kFirstListener + i)) {
      return SystemError("cannot watch the listening sockets");
    }
  }
  thread_ = std::thread([this] { Loop(); });
  return absl::OkStatus();
}

void Connections::Stop() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
  sockets_.clear();
}

void Connections::Wake() {
  const uint64_t one = 1;
  // Full, it wakes as well.
  if (write(wake_.get(), &one, sizeof one) < 0 && errno != EAGAIN) {
    spdlog::error("cannot wake the thread of connections: {}",
                  std::generic_category().message(errno));
  }
}

void Connections::Loop() {
  epoll_event events[kEventsAtOnce];
  while (!stopping_) {
    bool quiet = over_.empty();
    if (quiet) {
      std::lock_guard lock(mutex_);
      quiet = table_.quiet();
    }
    const int count = epoll_wait(epoll_.get(), events, kEventsAtOnce, quiet ? -1 : kLookEveryMs);
    for (int i = 0; i < count && !stopping_; ++i) Handle(events[i].data.u64);
    if (!stopping_) Look();
  }
}

void Connections::Handle(uint64_t tag) {
  if (tag == kWake) {
    uint64_t times = 0;
    while (read(wake_.get(), &times, sizeof times) > 0) {
    }
  } else if (tag < kFirstConnection) {
    const auto& [port, listener] = listeners_[tag - kFirstListener];
    Accept(port, listener.get());
  } else {
    const Id id = tag - kFirstConnection;
    const auto found = sockets_.find(id);
    if (found == sockets_.end()) return;
    if (found->second.given < 0) return Remove(id);  // it gave up waiting
    if (!std::exchange(found->second.over, true)) over_.push_back(id);
  }
}

void Connections::Accept(Port port, int listener) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    OwnedFd socket(accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      // No file or no memory is left. The socket stays ready: not again at once.
      if (pace_.Allows("accept", WallNow())) {
        spdlog::error("cannot take a connection: {}", std::generic_category().message(errno));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookEveryMs));
      return;
    }
    const std::string peer = PeerName(address);
    if (peer.empty()) continue;
    std::lock_guard lock(mutex_);
    const Id id = table_.Add(port, peer, Now());
    if (!Watch(epoll_.get(), EPOLL_CTL_ADD, socket.get(), EPOLLRDHUP | EPOLLONESHOT,
               kFirstConnection + id)) {
      table_.Remove(id);
      continue;
    }
    Socket& kept = sockets_[id];
    kept.port = port;
    kept.inode = InodeOf(socket.get());
    kept.kept = std::move(socket);
  }
}

// What has to be looked at by and by.
void Connections::Look() {
  std::vector<ConnectionTable::Ending> endings;
  {
    std::lock_guard lock(mutex_);
    for (const Id id : table_.newcomers()) {
      const auto found = sockets_.find(id);
      if (found != sockets_.end()) table_.Received(id, BytesReceived(found->second.kept.get()));
    }
    endings = table_.Endings(Now());
  }
  HangUp(endings);
  RemoveClosed();
  HandOutTurns();
}

void Connections::HangUp(const std::vector<ConnectionTable::Ending>& endings) {
  for (const auto& ending : endings) {
    const std::string address = ending.peer.substr(0, ending.peer.rfind(':'));
    if (pace_.Allows(NeighbourOf(address), WallNow())) {
      spdlog::warn("event=REFUSED address={} actor={} reason={}", address,
                   ending.owner.empty() ? "unknown" : LogValue(ending.owner),
                   LogValue("hung up: " + ending.reason));
    }
    const auto found = sockets_.find(ending.id);
    if (found == sockets_.end()) continue;
    if (found->second.given < 0) {
      Remove(ending.id);
    } else {
      // gRPC reads the end of it, or cannot write, and closes it.
      shutdown(found->second.kept.get(), SHUT_RDWR);
    }
  }
}

void Connections::RemoveClosed() {
  const std::vector<Id> over = std::exchange(over_, {});
  for (const Id id : over) {
    const auto found = sockets_.find(id);
    if (found == sockets_.end()) continue;
    if (InodeOf(found->second.given) == found->second.inode) {
      over_.push_back(id);
    } else {
      Remove(id);
    }
  }
}

void Connections::Remove(Id id) {
  sockets_.erase(id);
  std::lock_guard lock(mutex_);
  table_.Remove(id);
}

void Connections::HandOutTurns() {
  while (!stopping_) {
    std::optional<Id> next;
    {
      std::lock_guard lock(mutex_);
      next = table_.Next(Now());
    }
    if (!next.has_value()) return;
    const auto found = sockets_.find(*next);
    if (found == sockets_.end() || !Serve(*next, found->second)) Remove(*next);
  }
}

// From here on only its end is waited for: what it sends is gRPC's.
bool Connections::Serve(Id id, Socket& socket) {
  OwnedFd given(fcntl(socket.kept.get(), F_DUPFD_CLOEXEC, 0));
  if (given.get() < 0) return false;
  socket.given = given.get();
  if (!Watch(epoll_.get(), EPOLL_CTL_MOD, socket.kept.get(), EPOLLONESHOT, kFirstConnection + id)) {
    return false;
  }
  if (!hand_over_(socket.port, given.get())) return false;
  given.Release();
  return true;
}

void Connections::Admit(const std::string& peer, const std::function<std::string()>& owner) {
  const std::string name = PeerName(peer);
  {
    std::lock_guard lock(mutex_);
    if (table_.IsKnown(name)) return;
  }
  const std::string who = owner();
  {
    std::lock_guard lock(mutex_);
    table_.Know(name, who);
  }
  Wake();
}

void Connections::Forget(const std::string& owner) {
  {
    std::lock_guard lock(mutex_);
    table_.Forget(owner, Now());
  }
  Wake();
}

size_t Connections::served() const {
  std::lock_guard lock(mutex_);
  return table_.served();
}

}  // namespace connect_ha
