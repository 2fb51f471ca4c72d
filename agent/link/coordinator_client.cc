#include "agent/link/coordinator_client.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/backoff.h"
#include "common/log.h"
#include "common/tls/channel.h"
#include "common/tls/crypto.h"
#include "common/tls/pinned_ca.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

// Together, with all tries of the first and the name's look-up in the second, less than the 10 s
// that CoordinatorLink allows.
constexpr seconds kHeartbeatTimeout{7};
constexpr seconds kExplainTimeout{2};
constexpr seconds kRenewTimeout{20};
// To find out why the coordinator is away takes a TLS handshake: not at every heartbeat.
constexpr seconds kExplainEvery{60};
// A nudge stream that held this long was a good one: the next is opened without a long wait.
constexpr seconds kWorkingStream{10};
// Between two renewals for a digest key's sake: who names a key need not bring it.
constexpr std::chrono::hours kAskForKeyEvery{1};

// A channel to one of the coordinator's addresses, with the certificate it was made with. Whoever
// makes a call holds it until the end.
struct Session {
  Session(const NodeIdentity& identity, std::string at) : address(std::move(at)) {
    ChannelOptions options;
    options.target = address;
    options.ca = identity.ca;
    options.certificate = identity.credentials.certificate;
    options.key = identity.credentials.key;
    options.max_receive_bytes = kMaxNodeAnswerBytes;
    channel = MakeChannel(options);
    node = v1::NodeService::NewStub(channel);
    renewal = v1::RenewalService::NewStub(channel);
  }
  const std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::NodeService::Stub> node;
  std::unique_ptr<v1::RenewalService::Stub> renewal;
};

void SetDeadline(grpc::ClientContext& context, seconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

std::string FirstAddress(const NodeIdentity& identity) {
  return identity.coordinators.empty() ? identity.coordinator : identity.coordinators.front();
}

absl::Status Expired(const Certificate& certificate) {
  return absl::UnauthenticatedError(absl::StrCat(
      "this node's certificate expired at ", FormatUtc(certificate.not_after),
      " by this node's clock; fix: check the clock; if it is right, to join again: connect-ha "
      "token create --node ",
      certificate.identity.name, ", and run here what it prints"));
}

// An agent of release 0.1 that joined there goes on calling there.
absl::Status PortOfNewcomers(const Session& session, const NodeIdentity& identity) {
  return absl::UnimplementedError(
      absl::StrCat(session.address,
                   " takes no reports: it is where nodes join, and this node joined with an "
                   "agent of release 0.1; fix: to join again: connect-ha token create --node ",
                   identity.certificate.identity.name, ", and run here what it prints"));
}

}  // namespace

class CoordinatorClient::Connection {
 public:
  explicit Connection(CoordinatorClientOptions options)
      : options_(std::move(options)),
        identity_(options_.identity),
        session_(std::make_shared<Session>(identity_, FirstAddress(identity_))),
        renewing_([this] { KeepRenewed(); }) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);
  void OnNudge(std::function<void()> wake);

 private:
  std::shared_ptr<Session> CurrentSession();
  // False when this object is to end.
  bool Sleep(milliseconds span);
  absl::Status Explain(const Session& session, const grpc::Status& status);
  // The next heartbeat goes to the address after this one's; after the last comes the first.
  void MoveOn(const std::shared_ptr<Session>& session);
  // The nodes' digests are made with a key of this id: where ours is another, ask for it.
  void NoteDigestKey(const std::string& id);
  bool IsWanted(const std::string& digest_key);

  void FollowNudges(const std::function<void()>& wake);
  // True when it worked for a while, or the session was replaced.
  bool FollowOneStream(const std::function<void()>& wake);

  void KeepRenewed();
  absl::Status Renew(Session& session);
  // The identity with a new certificate, and with what else the coordinator said.
  absl::StatusOr<NodeIdentity> AskForRenewal(Session& session);

  const CoordinatorClientOptions options_;

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::string wanted_key_;  // its id; "": ours is the nodes'
  NodeIdentity identity_;
  std::shared_ptr<Session> session_;
  grpc::ClientContext* stream_ = nullptr;   // of the open nudge stream
  grpc::ClientContext* renewal_ = nullptr;  // of the renewal under way

  // Of the thread that sends heartbeats.
  SteadyClock::time_point explained_at_{};
  std::string explained_;  // the address
  absl::Status explanation_;

  std::thread renewing_;
  std::thread nudging_;
};

CoordinatorClient::Connection::~Connection() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (stream_ != nullptr) stream_->TryCancel();
    if (renewal_ != nullptr) renewal_->TryCancel();
  }
  changed_.notify_all();
  renewing_.join();
  if (nudging_.joinable()) nudging_.join();
}

std::shared_ptr<Session> CoordinatorClient::Connection::CurrentSession() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return session_;
}

bool CoordinatorClient::Connection::Sleep(milliseconds span) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, span, [this] { return stopping_; });
  return !stopping_;
}

absl::StatusOr<v1::HeartbeatResponse> CoordinatorClient::Connection::Heartbeat(
    const v1::HeartbeatRequest& request) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (options_.now() >= identity_.certificate.not_after) return Expired(identity_.certificate);
    session = session_;
  }
  v1::HeartbeatResponse response;
  const grpc::Status status =
      CallAcrossReconnect(*session->channel, kHeartbeatTimeout, [&](grpc::ClientContext& context) {
        return session->node->Heartbeat(&context, request, &response);
      });
  const bool refused = status.error_code() == grpc::StatusCode::UNAVAILABLE;
  // A host that is gone says nothing at all. A coordinator that is slow has taken the connection.
  const bool silent = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
                      session->channel->GetState(false) != GRPC_CHANNEL_READY;
  if (refused || silent) MoveOn(session);
  if (refused) return Explain(*session, status);
  explanation_ = absl::OkStatus();
  explained_at_ = {};
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return PortOfNewcomers(*session, options_.identity);
  }
  if (!status.ok()) return FromGrpc(status);
  NoteDigestKey(response.digest_key_id());
  return response;
}

void CoordinatorClient::Connection::MoveOn(const std::shared_ptr<Session>& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::vector<std::string>& all = identity_.coordinators;
  if (session != session_ || all.size() < 2) return;
  auto next = std::find(all.begin(), all.end(), session->address);
  if (next != all.end()) ++next;
  session_ =
      std::make_shared<Session>(identity_, next == all.end() ? all.front() : std::string(*next));
  if (stream_ != nullptr) stream_->TryCancel();
}

void CoordinatorClient::Connection::NoteDigestKey(const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wanted_key_ = id == DigestKeyId(identity_.digest_key) ? "" : id;
}

// One that is neither ours nor the one that was named would be replaced again at once, and the
// agent starts anew with each.
bool CoordinatorClient::Connection::IsWanted(const std::string& digest_key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !digest_key.empty() && (wanted_key_.empty() || DigestKeyId(digest_key) == wanted_key_);
}

// gRPC's words for a refused connection, another CA and an expired certificate differ between its
// versions and say little: a look with TLS alone says what is wrong.
absl::Status CoordinatorClient::Connection::Explain(const Session& session,
                                                    const grpc::Status& status) {
  const auto now = SteadyClock::now();
  if (explained_at_ == SteadyClock::time_point{} || now - explained_at_ > kExplainEvery ||
      explained_ != session.address) {
    explained_at_ = now;
    explained_ = session.address;
    explanation_ = ExplainConnection(session.address, options_.identity.ca, kExplainTimeout);
  }
  const std::string words = explanation_.ok()
                                ? absl::StrCat("no answer from the coordinator at ",
                                               session.address, ": ", status.error_message())
                                : std::string(explanation_.message());
  return absl::UnavailableError(words);
}

void CoordinatorClient::Connection::OnNudge(std::function<void()> wake) {
  nudging_ = std::thread([this, wake = std::move(wake)] { FollowNudges(wake); });
}

void CoordinatorClient::Connection::FollowNudges(const std::function<void()>& wake) {
  Backoff backoff(seconds(1), seconds(10));
  while (true) {
    if (FollowOneStream(wake)) backoff.Reset();
    if (!Sleep(backoff.Next())) return;
  }
}

bool CoordinatorClient::Connection::FollowOneStream(const std::function<void()>& wake) {
  grpc::ClientContext context;
  std::shared_ptr<Session> session;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return false;
    stream_ = &context;
    session = session_;
  }
  v1::NudgesRequest request;
  request.set_node(options_.identity.certificate.identity.name);
  const auto reader = session->node->Nudges(&context, request);
  const auto opened_at = SteadyClock::now();
  v1::Nudge nudge;
  while (reader->Read(&nudge)) wake();
  const bool worked = SteadyClock::now() - opened_at > kWorkingStream;
  reader->Finish();
  const std::lock_guard<std::mutex> lock(mutex_);
  stream_ = nullptr;
  return worked || session != session_;
}

void CoordinatorClient::Connection::KeepRenewed() {
  Backoff backoff(options_.renewal_check, std::chrono::hours(1));
  auto next_try = SteadyClock::time_point{};
  auto next_key = SteadyClock::time_point{};
  bool failing = false;
  while (Sleep(options_.renewal_check)) {
    Time due;
    bool wants_key = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      due = RenewalTime(identity_.certificate);
      wants_key = !wanted_key_.empty() && SteadyClock::now() >= next_key;
    }
    if ((options_.now() < due && !wants_key) || SteadyClock::now() < next_try) continue;
    const absl::Status status = Renew(*CurrentSession());
    if (status.ok()) {
      next_key = SteadyClock::now() + kAskForKeyEvery;
      backoff.Reset();
      failing = false;
      continue;
    }
    if (!failing) {
      spdlog::warn("certificate not renewed, will go on trying error={}",
                   LogValue(std::string(status.message())));
    }
    failing = true;
    next_try = SteadyClock::now() + backoff.Next();
  }
}

absl::StatusOr<NodeIdentity> CoordinatorClient::Connection::AskForRenewal(Session& session) {
  auto key = MakeKey();
  if (!key.ok()) return key.status();
  auto csr = MakeCsr(*key);
  if (!csr.ok()) return csr.status();
  v1::RenewRequest request;
  request.set_csr_der(*std::move(csr));
  v1::RenewResponse response;
  grpc::ClientContext context;
  SetDeadline(context, kRenewTimeout);
  NodeIdentity renewed;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return absl::CancelledError("the agent is ending");
    renewal_ = &context;
    renewed = identity_;
  }
  const grpc::Status status = session.renewal->Renew(&context, request, &response);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    renewal_ = nullptr;
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return absl::UnimplementedError(
        "the coordinator is of an older release than this agent, and does not renew its "
        "certificate; fix: upgrade the coordinator");
  }
  if (!status.ok()) return FromGrpc(status);
  renewed.credentials = {*std::move(key), response.certificate_pem()};
  auto certificate = ParseCertificate(response.certificate_pem());
  if (!certificate.ok()) return certificate.status();
  renewed.certificate = *std::move(certificate);
  if (IsWanted(response.digest_key())) renewed.digest_key = response.digest_key();
  // The one that answers now stays among them, whatever is said.
  renewed.coordinators.push_back(session.address);
  renewed.coordinators = MergedCoordinators(
      {response.coordinators().begin(), response.coordinators().end()}, renewed.coordinators);
  return renewed;
}

absl::Status CoordinatorClient::Connection::Renew(Session& session) {
  const auto renewed = AskForRenewal(session);
  if (!renewed.ok()) return renewed.status();
  const CredentialPair& pair = renewed->credentials;
  absl::Status status = VerifySignedBy(pair.certificate, options_.identity.ca);
  if (!status.ok()) return status;
  if (!KeyMatches(pair.key, pair.certificate) ||
      !(renewed->certificate.identity == options_.identity.certificate.identity)) {
    return absl::InternalError("the coordinator answered with a certificate for someone else");
  }
  const auto present = LoadNodeIdentity(options_.state_dir);
  if (present.ok() && present->token_id != renewed->token_id) {
    return absl::AbortedError("the node was enrolled anew meanwhile");
  }
  const bool only_certificate = present.ok() && present->digest_key == renewed->digest_key &&
                                present->coordinators == renewed->coordinators;
  status = only_certificate ? StoreNodeCredentials(options_.state_dir, pair)
                            : StoreNodeIdentity(options_.state_dir, *renewed);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mutex_);
  identity_ = *renewed;
  if (wanted_key_ == DigestKeyId(identity_.digest_key)) wanted_key_.clear();
  // It goes on where it is answered; an agent that starts begins with the first of the list.
  session_ = std::make_shared<Session>(identity_, session_->address);
  if (stream_ != nullptr) stream_->TryCancel();
  spdlog::info("certificate renewed serial={} until={}", renewed->certificate.serial,
               FormatUtc(renewed->certificate.not_after));
  return absl::OkStatus();
}

CoordinatorClient::CoordinatorClient(CoordinatorClientOptions options)
    : connection_(std::make_unique<Connection>(std::move(options))) {}

CoordinatorClient::~CoordinatorClient() = default;

absl::StatusOr<v1::HeartbeatResponse> CoordinatorClient::Heartbeat(
    const v1::HeartbeatRequest& request) {
  return connection_->Heartbeat(request);
}

void CoordinatorClient::OnNudge(std::function<void()> wake) {
  connection_->OnNudge(std::move(wake));
}

}  // namespace connect_ha
