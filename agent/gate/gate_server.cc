#include "agent/gate/gate_server.h"

#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kNodeHeader[] = "X-Connect-HA-Node";
constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr size_t kThreads = 8;
// Beyond so many that wait to be answered, the others wait in the kernel.
constexpr size_t kMostConnections = 64;
// Of a request, all of it. A load balancer's has a few hundred bytes, in one packet.
constexpr size_t kMostRequest = 16'384;
constexpr time_t kPatienceSeconds = 1;
constexpr int kNotAllowed = 405;
// Between two looks whether to end.
constexpr time_t kLookEveryUs = 250'000;
constexpr milliseconds kListenAgain{100};

// httplib 0.11 asks for this too, 0.10 does not: `override` would not compile with that.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsuggest-override"
class AnyStream : public httplib::Stream {
 public:
  // NOLINTNEXTLINE(modernize-use-override)
  virtual void get_local_ip_and_port(std::string& ip, int& port) const = 0;
};
#pragma GCC diagnostic pop

// One connection. httplib waits anew for each byte, and takes lines of any length: here all of a
// request comes within the patience and is no longer than it may be, whoever sends it.
class BoundedStream : public AnyStream {
 public:
  explicit BoundedStream(int socket) : socket_(socket) {}

  bool is_readable() const override { return IsReady(POLLIN, read_until_); }
  bool is_writable() const override {
    return IsReady(POLLOUT, steady_clock::now() + std::chrono::seconds(kPatienceSeconds));
  }
  ssize_t read(char* to, size_t size) override {
    if (taken_ == filled_) {
      if (received_ >= kMostRequest || !is_readable()) return -1;
      const ssize_t count = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (count <= 0) return count;
      taken_ = 0;
      filled_ = static_cast<size_t>(count);
      received_ += filled_;
    }
    const size_t given = std::min(size, filled_ - taken_);
    std::memcpy(to, buffer_.data() + taken_, given);
    taken_ += given;
    return static_cast<ssize_t>(given);
  }
  // The socket's own time limit holds for it.
  ssize_t write(const char* from, size_t size) override {
    return is_writable() ? send(socket_, from, size, MSG_NOSIGNAL) : -1;
  }
  // Nobody asks who asked.
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return socket_; }

 private:
  bool IsReady(int16_t events, steady_clock::time_point until) const {
    pollfd waited{socket_, events, 0};
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    return poll(&waited, 1, static_cast<int>(std::max<int64_t>(left.count(), 0))) > 0;
  }

  const int socket_;
  const steady_clock::time_point read_until_ =
      steady_clock::now() + std::chrono::seconds(kPatienceSeconds);
  std::array<char, 2'048> buffer_{};
  size_t taken_ = 0;
  size_t filled_ = 0;
  size_t received_ = 0;
};

// A pool of threads in front of which no more than a few wait. Where it is asked to, it ends the
// listening: on the thread that accepts, and once all that was accepted is answered, since httplib
// answers none after that.
class BoundedPool : public httplib::TaskQueue {
 public:
  BoundedPool(std::function<bool()> is_asked, std::function<void()> end)
      : pool_(kThreads), is_asked_(std::move(is_asked)), end_(std::move(end)) {}

  void enqueue(std::function<void()> answer) override {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      fewer_.wait(lock, [this] { return connections_ < kMostConnections; });
      ++connections_;
    }
    pool_.enqueue([this, answer = std::move(answer)] {
      answer();
      const std::lock_guard<std::mutex> lock(mutex_);
      --connections_;
      fewer_.notify_one();
    });
    EndIfAsked();
  }
  void shutdown() override { pool_.shutdown(); }
  void on_idle() override { EndIfAsked(); }

 private:
  void EndIfAsked() {
    if (!is_asked_()) return;
    std::unique_lock<std::mutex> lock(mutex_);
    fewer_.wait(lock, [this] { return connections_ == 0; });
    end_();
  }

  httplib::ThreadPool pool_;
  const std::function<bool()> is_asked_;
  const std::function<void()> end_;
  std::mutex mutex_;
  std::condition_variable fewer_;
  size_t connections_ = 0;
};

}  // namespace

// httplib's server on a socket that others listen on, too. Its own stop() would shut that down for
// all of them: it is ended by the thread that accepts, between two connections.
class GateServer::Listener : public httplib::Server {
 public:
  Listener(int socket, const GateServerOptions& options) : socket_(socket) {
    new_task_queue = [this] {
      return new BoundedPool([this] { return asked_to_end_.load(); },
                             [this] { svr_sock_ = INVALID_SOCKET; });
    };
    set_read_timeout(kPatienceSeconds);
    set_write_timeout(kPatienceSeconds);
    set_idle_interval(0, kLookEveryUs);
    // Nothing is to be sent here: no body is read, and none unpacked.
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      if (request.method == "GET" || request.method == "HEAD") return HandlerResponse::Unhandled;
      response.status = kNotAllowed;
      response.set_header("Allow", "GET, HEAD");
      return HandlerResponse::Handled;
    });
    // Of every answer, also where nothing was found or understood.
    set_post_routing_handler([&options](const httplib::Request&, httplib::Response& response) {
      if (!options.node.empty()) response.set_header(kNodeHeader, options.node);
      response.set_header("Cache-Control", "no-store");
    });
    Get("/healthz", [&options](const httplib::Request&, httplib::Response& response) {
      const GateAnswer answer = options.health();
      response.status = answer.status;
      response.set_content(answer.text, kPlain);
    });
    Get("/", [&options](const httplib::Request&, httplib::Response& response) {
      response.set_content(options.page(), kPlain);
    });
    thread_ = std::thread([this] { Run(); });
  }
  ~Listener() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      asked_to_end_ = true;
    }
    asked_.notify_all();
    thread_.join();
  }

 private:
  // httplib's own reads for as long as something comes. One request a connection.
  bool process_and_close_socket(socket_t connection) override {
    BoundedStream stream(connection);
    bool is_closed = false;
    const bool answered = process_request(stream, /*close_connection=*/true, is_closed, nullptr);
    ::shutdown(connection, SHUT_RDWR);
    ::close(connection);
    return answered;
  }

  // An accept that fails ends httplib's listening, and closes what it was given: a copy.
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!asked_to_end_) {
      lock.unlock();
      const int copy = fcntl(socket_, F_DUPFD_CLOEXEC, 0);
      if (copy >= 0) {
        svr_sock_ = copy;
        if (listen_after_bind()) close(copy);
      }
      lock.lock();
      asked_.wait_for(lock, kListenAgain, [this] { return asked_to_end_.load(); });
    }
  }

  const int socket_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::atomic<bool> asked_to_end_{false};
  std::thread thread_;
};

GateServer::GateServer(const std::vector<Fd>& sockets, GateServerOptions options)
    : options_(std::move(options)) {
  for (const Fd& socket : sockets) {
    listeners_.push_back(std::make_unique<Listener>(socket.get(), options_));
  }
}

GateServer::~GateServer() = default;

std::vector<Fd> TakeListeningSockets() {
  std::vector<Fd> sockets;
  // What this process starts is not handed them on.
  const int count = sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    Fd socket(SD_LISTEN_FDS_START + i);
    if (sd_is_socket(socket.get(), AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
      spdlog::warn("event=socket-not-taken number={}", i);
      continue;
    }
    // Who connects and goes away in between would else hold whoever accepts.
    const int flags = fcntl(socket.get(), F_GETFL);
    if (flags >= 0) fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

}  // namespace connect_ha
