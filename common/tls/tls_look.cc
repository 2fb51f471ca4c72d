#include "common/tls/tls_look.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/resolve.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;
using AddressList = std::unique_ptr<addrinfo, Freer<freeaddrinfo>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, Freer<SSL_free>>;

constexpr unsigned char kHttp2[] = {2, 'h', '2'};  // ALPN: length, name

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::Status Unreachable(const Address& address, const std::string& why, const std::string& fix) {
  return absl::UnavailableError(absl::StrCat("cannot reach the coordinator at ",
                                             FormatAddress(address), ": ", why, "; fix: ", fix));
}

absl::Status ConnectError(const Address& address, int error) {
  const std::string words = std::generic_category().message(error);
  if (error == ECONNREFUSED) {
    return Unreachable(address, "connection refused",
                       "on the coordinator: systemctl status connect-ha-coordinator");
  }
  if (error == ETIMEDOUT) {
    return Unreachable(
        address, "no answer in time",
        absl::StrCat("allow TCP ", address.port, " to the coordinator (security group, firewall)"));
  }
  return Unreachable(address, words, "check the route to the coordinator");
}

// Waits for `events`; false when the time is up.
bool WaitFor(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// 0, or the error.
int ConnectOne(int fd, const addrinfo& to, Clock::time_point deadline) {
  if (connect(fd, to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!WaitFor(fd, POLLOUT, deadline)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::chrono::milliseconds Left(Clock::time_point deadline) {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()));
}

// Null when `numeric` is no address.
AddressList ParseNumeric(const std::string& numeric, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // so this asks nobody
  addrinfo* found = nullptr;
  const int error = getaddrinfo(numeric.c_str(), std::to_string(port).c_str(), &hints, &found);
  return AddressList(error == 0 ? found : nullptr);
}

absl::StatusOr<int> Connect(const Address& address, Clock::time_point deadline) {
  const auto numeric = ResolveHost(address.host, Left(deadline));
  if (!numeric.ok()) {
    // Its message begins with the name, which ours says already.
    const std::string words(numeric.status().message());
    const size_t why = words.rfind("\": ");
    return Unreachable(address,
                       absl::StrCat("its name does not resolve (",
                                    why == std::string::npos ? words : words.substr(why + 3), ")"),
                       "check the name and this machine's DNS");
  }
  int last_error = ECONNREFUSED;
  auto to_try = static_cast<int>(numeric->size());
  for (const std::string& one : *numeric) {
    // An address that nothing answers at leaves its share of the time to the others.
    const Clock::time_point until = Clock::now() + Left(deadline) / to_try--;
    const AddressList list = ParseNumeric(one, address.port);
    if (list == nullptr) continue;
    Socket socket(::socket(list->ai_family, list->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) continue;
    last_error = ConnectOne(socket.get(), *list, until);
    if (last_error == 0) return socket.release();
  }
  return ConnectError(address, last_error);
}

// The handshake over memory buffers: the socket's calls are ours, with a deadline and no SIGPIPE.
class Handshake {
 public:
  Handshake(const Address& address, int fd, Clock::time_point deadline)
      : address_(address), fd_(fd), deadline_(deadline) {}

  absl::Status Run();
  std::vector<X509Handle> Chain() const;

 private:
  absl::Status Prepare();
  absl::Status Send();
  absl::Status Receive();
  absl::Status TlsError() const;
  bool ServerHasProvenItself() const;

  const Address& address_;
  const int fd_;
  const Clock::time_point deadline_;
  ContextHandle context_;
  SslHandle ssl_;
  BIO* received_ = nullptr;  // both owned by ssl_
  BIO* to_send_ = nullptr;
};

absl::Status Handshake::Prepare() {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ == nullptr) return OpenSslError("cannot set up TLS");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(context_.get(), kHttp2, sizeof kHttp2);
  ssl_.reset(SSL_new(context_.get()));
  received_ = BIO_new(BIO_s_mem());
  to_send_ = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || received_ == nullptr || to_send_ == nullptr) {
    return OpenSslError("cannot set up TLS");
  }
  SSL_set_bio(ssl_.get(), received_, to_send_);
  SSL_set_connect_state(ssl_.get());
  return absl::OkStatus();
}

absl::Status Handshake::Send() {
  char* data = nullptr;
  long size = BIO_get_mem_data(to_send_, &data);
  while (size > 0) {
    const ssize_t sent = send(fd_, data, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (sent >= 0) {
      data += sent;
      size -= sent;
    } else if (errno != EAGAIN && errno != EINTR) {
      return ConnectError(address_, errno);
    } else if (!WaitFor(fd_, POLLOUT, deadline_)) {
      return ConnectError(address_, ETIMEDOUT);
    }
  }
  BIO_reset(to_send_);
  return absl::OkStatus();
}

absl::Status Handshake::Receive() {
  char buffer[4096];
  while (true) {
    if (!WaitFor(fd_, POLLIN, deadline_)) {
      return Unreachable(address_, "it takes the connection but does not answer in TLS",
                         "check that the port is the coordinator's");
    }
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count > 0) {
      BIO_write(received_, buffer, static_cast<int>(count));
      return absl::OkStatus();
    }
    if (count == 0) {
      return Unreachable(address_, "it closed the connection in the TLS handshake",
                         "check that the port is the coordinator's, and its log");
    }
    if (errno != EAGAIN && errno != EINTR) return ConnectError(address_, errno);
  }
}

absl::Status Handshake::TlsError() const {
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return absl::FailedPreconditionError(absl::StrCat(
      "what answers at ", FormatAddress(address_), " does not speak TLS as a coordinator does (",
      reason == nullptr ? "no reason given" : reason,
      "); fix: check the address; `connect-ha serve` answers in TLS only"));
}

// In TLS 1.2 a server that demands a certificate ends the handshake of who has none when this end
// has said its last word, which it says to a server that has signed for its key. (In TLS 1.3 the
// handshake is over for this end by then.)
bool Handshake::ServerHasProvenItself() const {
  return SSL_get_state(ssl_.get()) == TLS_ST_CW_FINISHED && !Chain().empty();
}

absl::Status Handshake::Run() {
  if (absl::Status status = Prepare(); !status.ok()) return status;
  while (true) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
    if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) {
      const absl::Status status = TlsError();
      return ServerHasProvenItself() ? absl::OkStatus() : status;
    }
    if (absl::Status status = Send(); !status.ok()) return status;
    if (error == SSL_ERROR_NONE) return absl::OkStatus();
    if (absl::Status status = Receive(); !status.ok()) {
      return ServerHasProvenItself() ? absl::OkStatus() : status;
    }
  }
}

std::vector<X509Handle> Handshake::Chain() const {
  std::vector<X509Handle> chain;
  const STACK_OF(X509)* presented = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = 0; presented != nullptr && i < sk_X509_num(presented); ++i) {
    X509* certificate = sk_X509_value(presented, i);
    X509_up_ref(certificate);
    chain.emplace_back(certificate);
  }
  return chain;
}

}  // namespace

absl::StatusOr<std::vector<X509Handle>> LookAtServer(const Address& address,
                                                     std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const auto fd = Connect(address, deadline);
  if (!fd.ok()) return fd.status();
  const Socket socket(*fd);
  Handshake handshake(address, socket.get(), deadline);
  if (absl::Status status = handshake.Run(); !status.ok()) return status;
  return handshake.Chain();
}

}  // namespace connect_ha
