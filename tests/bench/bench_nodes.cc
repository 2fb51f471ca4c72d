#include "tests/bench/bench_nodes.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "connect_ha/v1/node_service.grpc.pb.h"

namespace connect_ha {
namespace {

constexpr std::chrono::milliseconds kPace{5000};
constexpr std::chrono::milliseconds kTryAgain{250};
// Nodes whose first report is under way. With more, calls would run out of time in this process,
// which sets up the connections of them all, before the coordinator saw them.
constexpr size_t kAtOnce = 200;

std::chrono::system_clock::time_point In(std::chrono::milliseconds wait) {
  return std::chrono::system_clock::now() + wait;
}

}  // namespace

// A node's two endless calls: its heartbeats and its nudge stream.
struct BenchNodes::Node {
  struct Tag {
    Node* node;
    enum Kind { kAnswered, kBeat, kOpened, kNudged, kEnded, kOpen } kind;
  };
  BenchNodes& all;
  std::unique_ptr<v1::NodeService::Stub> stub;
  v1::HeartbeatRequest report;
  v1::NudgesRequest open_request;
  v1::HeartbeatResponse answer;
  v1::Nudge nudge;
  grpc::Status beat_status, stream_status;
  std::unique_ptr<grpc::ClientContext> beat_context, stream_context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::HeartbeatResponse>> beat;
  std::unique_ptr<grpc::ClientAsyncReader<v1::Nudge>> stream;
  grpc::Alarm beat_alarm, open_alarm;
  int reported_round = -1;
  bool send_facts = true;
  int changes = 0;
  std::chrono::steady_clock::time_point sent, due;
  Tag answered{this, Tag::kAnswered}, beat_due{this, Tag::kBeat}, opened{this, Tag::kOpened},
      nudged{this, Tag::kNudged}, ended{this, Tag::kEnded}, open_due{this, Tag::kOpen};

  Node(BenchNodes& nodes, std::shared_ptr<grpc::Channel> channel, const std::string& name)
      : all(nodes), stub(v1::NodeService::NewStub(std::move(channel))), report(BenchReport(name)) {
    open_request.set_node(name);
  }

  void Beat() {
    if (all.interval_ms_ > 0) {
      ChangeReport(report, ++changes);
      send_facts = true;
    }
    beat_context = std::make_unique<grpc::ClientContext>();
    beat_context->set_deadline(In(std::chrono::seconds(30)));
    v1::HeartbeatRequest request = report;
    if (!send_facts) request.clear_facts_bytes();
    sent = std::chrono::steady_clock::now();
    beat = stub->AsyncHeartbeat(beat_context.get(), request, &all.queue_);
    beat->Finish(&answer, &beat_status, &answered);
  }
  void Answered() {
    if (beat_status.ok()) {
      send_facts = answer.send_facts();
      const int round = all.round_;
      if (!send_facts && std::exchange(reported_round, round) != round) {
        ++all.reported_;
        all.BeginNext();
      }
    } else {
      all.Refused(beat_status);
    }
    if (changes > 0 && beat_status.ok() && !send_facts) return Acknowledged();
    const auto pace = beat_status.ok() && !send_facts ? kPace : kTryAgain;
    beat_alarm.Set(&all.queue_, In(pace), &beat_due);
  }
  void Acknowledged() {
    using std::chrono::milliseconds;
    const auto now = std::chrono::steady_clock::now();
    const milliseconds interval(all.interval_ms_);
    {
      std::lock_guard lock(all.mutex_);
      all.acknowledged_ms_.push_back(std::chrono::duration<double, std::milli>(now - sent).count());
    }
    // Nodes keep their own time: reports that all come at one moment would measure a burst.
    due = changes == 1 ? now + interval * std::rand() / RAND_MAX : std::max(due + interval, now);
    beat_alarm.Set(&all.queue_, In(std::chrono::duration_cast<milliseconds>(due - now)), &beat_due);
  }
  void Open() {
    stream_context = std::make_unique<grpc::ClientContext>();
    stream_context->set_wait_for_ready(true);
    stream = stub->AsyncNudges(stream_context.get(), open_request, &all.queue_, &opened);
  }
  void Handle(Tag::Kind kind, bool ok) {
    if (kind == Tag::kAnswered) return Answered();
    if (kind == Tag::kBeat) return Beat();
    if (kind == Tag::kOpen) return Open();
    if (kind == Tag::kEnded) return open_alarm.Set(&all.queue_, In(kTryAgain), &open_due);
    if (ok) return stream->Read(&nudge, &nudged);
    stream->Finish(&stream_status, &ended);
  }
};

BenchNodes::BenchNodes(const BenchCluster& cluster, const std::vector<BenchIdentity>& identities) {
  for (const BenchIdentity& identity : identities) {
    nodes_.push_back(std::make_unique<Node>(*this, cluster.Connect(identity), identity.name));
  }
  for (size_t i = 0; i < kAtOnce; ++i) BeginNext();
  thread_ = std::thread([this] { Loop(); });
}

void BenchNodes::BeginNext() {
  if (begun_ == nodes_.size()) return;
  Node& node = *nodes_[begun_++];
  node.Open();
  node.Beat();
}

BenchNodes::~BenchNodes() {
  stopping_ = true;
  thread_.join();
  for (const auto& node : nodes_) {
    if (node->beat_context) node->beat_context->TryCancel();
    if (node->stream_context) node->stream_context->TryCancel();
    node->beat_alarm.Cancel();
    node->open_alarm.Cancel();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void BenchNodes::Loop() {
  void* tag = nullptr;
  bool ok = false;
  while (!stopping_) {
    if (queue_.AsyncNext(&tag, &ok, In(std::chrono::milliseconds(50))) !=
        grpc::CompletionQueue::GOT_EVENT) {
      continue;
    }
    const auto* event = static_cast<Node::Tag*>(tag);
    event->node->Handle(event->kind, ok);
  }
}

void BenchNodes::Refused(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return;
  std::lock_guard lock(mutex_);
  if (refused_++ == 0) first_refusal_ = status.error_message();
}

std::string BenchNodes::first_refusal() const {
  std::lock_guard lock(mutex_);
  return first_refusal_;
}

void BenchNodes::ReportChangesEvery(std::chrono::milliseconds interval) {
  interval_ms_ = interval.count();
  std::this_thread::sleep_for(kPace + interval);
}

std::vector<double> BenchNodes::AcknowledgedIn(std::chrono::seconds run) {
  {
    std::lock_guard lock(mutex_);
    acknowledged_ms_.clear();
  }
  std::this_thread::sleep_for(run);
  std::lock_guard lock(mutex_);
  return acknowledged_ms_;
}

void BenchNodes::ExpectAgain() {
  ++round_;
  reported_ = 0;
}

double BenchNodes::WaitUntilAllReported(double limit_seconds) {
  const auto begun = std::chrono::steady_clock::now();
  while (true) {
    const double passed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (reported_ == static_cast<int>(nodes_.size())) return passed;
    if (passed > limit_seconds) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace connect_ha
