#include "coordinator/rpc/port/connection_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/rpc/port/peer.h"

namespace connect_ha {
namespace {

// For gRPC, the store, the listening sockets and libraries.
constexpr size_t kOtherFiles = 256;
constexpr size_t kFewest = 16;
// A handshake and a call take a fraction of it.
constexpr std::chrono::seconds kLeastPatience{2};
// So that a removed node reads why its calls are refused.
constexpr std::chrono::seconds kTimeToBeTold{5};

std::string AddressIn(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

long long Seconds(std::chrono::milliseconds span) { return span.count() / 1000; }

}  // namespace

ConnectionBounds FitToFiles(ConnectionBounds bounds, size_t files) {
  const size_t ours = files > kOtherFiles ? files - kOtherFiles : 0;
  bounds.waiting = std::max(kFewest, std::min(bounds.waiting, ours / 8));
  const size_t left = ours > bounds.waiting ? ours - bounds.waiting : 0;
  bounds.in_all = std::max(kFewest, std::min(bounds.in_all, left / 2));
  return bounds;
}

const NewcomerBounds& ConnectionTable::BoundsOf(Port port) const {
  return port == Port::kNodes ? bounds_.nodes : bounds_.enrolment;
}

ConnectionTable::Id ConnectionTable::Add(Port port, const std::string& peer, Time now) {
  Connection& connection = connections_[++last_id_];
  connection.id = last_id_;
  connection.port = port;
  connection.peer = peer;
  connection.neighbour = neighbours_.try_emplace(NeighbourOf(AddressIn(peer))).first;
  connection.since = now;
  ++connection.neighbour->second.waiting;
  connection.waiting = waiting_.insert(waiting_.end(), &connection);
  const Id id = connection.id;
  if (waiting_.size() > bounds_.waiting) EndOneThatWaits(connection);
  return id;
}

// Of the neighbour that has most of them: whoever has few gets in.
void ConnectionTable::EndOneThatWaits(Connection& latest) {
  const auto most = std::max_element(
      neighbours_.begin(), neighbours_.end(),
      [](const auto& a, const auto& b) { return a.second.waiting < b.second.waiting; });
  Connection* last = &latest;
  if (most->second.waiting > latest.neighbour->second.waiting) {
    last = *std::find_if(waiting_.rbegin(), waiting_.rend(),
                         [&](const Connection* one) { return one->neighbour == most; });
  }
  End(*last, "too many connections wait, and its neighbour has most of them");
}

bool ConnectionTable::MayBeNext(const Connection& connection) const {
  const NewcomerBounds& bounds = BoundsOf(connection.port);
  const auto all = newcomers_.find(connection.port);
  if (all != newcomers_.end() && all->second.size() >= bounds.in_all) return false;
  const auto& newcomers = connection.neighbour->second.newcomers;
  const auto of_one = newcomers.find(connection.port);
  return of_one == newcomers.end() || of_one->second < bounds.of_one;
}

std::optional<ConnectionTable::Id> ConnectionTable::Next(Time now) {
  if (waiting_.empty() || served_ >= bounds_.in_all) return std::nullopt;
  Connection* next = nullptr;
  size_t fewest = 0;
  for (Connection* one : waiting_) {
    if (!MayBeNext(*one)) continue;
    const auto& newcomers = one->neighbour->second.newcomers;
    const auto found = newcomers.find(one->port);
    const size_t has = found == newcomers.end() ? 0 : found->second;
    if (next != nullptr && has >= fewest) continue;
    next = one;
    fewest = has;
    if (has == 0) break;
  }
  if (next == nullptr) return std::nullopt;
  // In this order: the neighbour stays while something of it counts.
  ++next->neighbour->second.newcomers[next->port];
  LeaveState(*next);
  next->state = State::kNewcomer;
  next->since = now;
  newcomers_[next->port].insert(next->id);
  if (next->port == Port::kNodes) by_peer_[next->peer] = next->id;
  ++served_;
  return next->id;
}

void ConnectionTable::LeaveNeighbour(Neighbours::iterator neighbour) {
  if (neighbour->second.idle()) neighbours_.erase(neighbour);
}

// What it counted as, it does no more. A known one counts for no neighbour, which is gone perhaps.
void ConnectionTable::LeaveState(Connection& connection) {
  if (connection.state == State::kWaiting) {
    waiting_.erase(connection.waiting);
    --connection.neighbour->second.waiting;
    LeaveNeighbour(connection.neighbour);
  } else if (connection.state == State::kNewcomer) {
    newcomers_[connection.port].erase(connection.id);
    auto& newcomers = connection.neighbour->second.newcomers;
    if (--newcomers[connection.port] == 0) newcomers.erase(connection.port);
    LeaveNeighbour(connection.neighbour);
  } else if (connection.state == State::kKnown) {
    const auto owned = by_owner_.find(connection.owner);
    owned->second.remove(connection.id);
    if (owned->second.empty()) by_owner_.erase(owned);
  }
}

void ConnectionTable::Received(Id id, uint64_t bytes) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second.received = bytes;
}

bool ConnectionTable::IsKnown(const std::string& peer) const {
  const auto found = by_peer_.find(peer);
  return found != by_peer_.end() && connections_.at(found->second).state == State::kKnown;
}

void ConnectionTable::Know(const std::string& peer, const std::string& owner) {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return;
  Connection& connection = connections_.at(found->second);
  if (connection.state != State::kNewcomer || connection.ending) return;
  LeaveState(connection);
  connection.state = State::kKnown;
  connection.owner = owner;
  std::list<Id>& owned = by_owner_[owner];
  owned.push_back(connection.id);
  const size_t most = absl::StartsWith(owner, "admin/") ? bounds_.of_an_admin : bounds_.of_a_node;
  size_t stay = 0;
  for (const Id id : owned) stay += connections_.at(id).ending ? 0 : 1;
  for (const Id id : owned) {
    if (stay <= most) break;
    Connection& oldest = connections_.at(id);
    if (oldest.ending) continue;
    End(oldest, absl::StrCat("more than ", most, " connections with one certificate's name"));
    --stay;
  }
}

void ConnectionTable::Forget(const std::string& owner, Time now) {
  const auto owned = by_owner_.find(owner);
  if (owned == by_owner_.end()) return;
  for (const Id id : owned->second) leaving_.emplace(id, now + kTimeToBeTold);
}

void ConnectionTable::Remove(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (connection.state == State::kNewcomer || connection.state == State::kKnown) --served_;
  LeaveState(connection);
  const auto peer = by_peer_.find(connection.peer);
  if (peer != by_peer_.end() && peer->second == id) by_peer_.erase(peer);
  leaving_.erase(id);
  connections_.erase(found);
}

void ConnectionTable::End(Connection& connection, const std::string& reason) {
  if (std::exchange(connection.ending, true)) return;
  endings_.push_back({connection.id, connection.peer, connection.owner, reason});
  if (connection.state != State::kWaiting) return;
  LeaveState(connection);
  connection.state = State::kTurnedAway;
}

void ConnectionTable::EndOverdue(Time now) {
  while (!waiting_.empty() && now - waiting_.front()->since >= bounds_.waiting_patience) {
    End(*waiting_.front(),
        absl::StrCat("its turn did not come in ", Seconds(bounds_.waiting_patience), " s"));
  }
  for (const auto& [port, ids] : newcomers_) {
    const NewcomerBounds& bounds = BoundsOf(port);
    for (const Id id : ids) {
      Connection& one = connections_.at(id);
      if (now - one.since < bounds.patience) continue;
      End(one, absl::StrCat(port == Port::kNodes ? "no call of somebody who may call in "
                                                 : "enrolment takes no longer than ",
                            Seconds(bounds.patience), " s"));
    }
  }
  for (const auto& [id, due] : leaving_) {
    if (now >= due) End(connections_.at(id), "its caller was removed");
  }
}

// Whoever has sent too much by itself, and then whoever has sent most while all have too much.
void ConnectionTable::EndGreedy(Port port) {
  const NewcomerBounds& bounds = BoundsOf(port);
  std::vector<Connection*> by_bytes;
  uint64_t together = 0;
  for (const Id id : newcomers_[port]) {
    Connection& one = connections_.at(id);
    if (!one.ending && one.received > bounds.bytes) {
      End(one, absl::StrCat("it sent ", one.received, " bytes before it was known"));
    }
    if (one.ending) continue;
    by_bytes.push_back(&one);
    together += one.received;
  }
  std::sort(by_bytes.begin(), by_bytes.end(),
            [](const Connection* a, const Connection* b) { return a->received > b->received; });
  for (Connection* one : by_bytes) {
    if (together <= bounds.bytes_together) return;
    together -= one->received;
    End(*one, absl::StrCat("newcomers sent too much together, this one ", one->received, " bytes"));
  }
}

// Where all places are taken and a neighbour that has none waits, somebody goes of the neighbour
// that has most: else a few silent neighbours would keep everybody out.
void ConnectionTable::MakeRoom(Port port, Time now) {
  const std::set<Id>& newcomers = newcomers_[port];
  if (newcomers.size() < BoundsOf(port).in_all) return;
  std::set<const Neighbour*> without;
  for (const Connection* one : waiting_) {
    const Neighbour& neighbour = one->neighbour->second;
    if (one->port == port && neighbour.newcomers.count(port) == 0) without.insert(&neighbour);
  }
  size_t going = 0;
  for (const Id id : newcomers) going += connections_.at(id).ending ? 1 : 0;
  for (; going < without.size(); ++going) {
    Connection* last = nullptr;
    size_t most = 1;
    for (const Id id : newcomers) {  // the oldest first
      Connection& one = connections_.at(id);
      if (one.ending || now - one.since < kLeastPatience) continue;
      const size_t has = one.neighbour->second.newcomers.at(port);
      if (has <= most) continue;
      most = has;
      last = &one;
    }
    if (last == nullptr) return;
    End(*last, "others wait for their turn");
  }
}

std::vector<ConnectionTable::Ending> ConnectionTable::Endings(Time now) {
  EndOverdue(now);
  EndGreedy(Port::kNodes);
  EndGreedy(Port::kEnrolment);
  MakeRoom(Port::kNodes, now);
  MakeRoom(Port::kEnrolment, now);
  return std::exchange(endings_, {});
}

std::vector<ConnectionTable::Id> ConnectionTable::newcomers() const {
  std::vector<Id> all;
  for (const auto& [port, ids] : newcomers_) all.insert(all.end(), ids.begin(), ids.end());
  return all;
}

bool ConnectionTable::quiet() const {
  const bool newcomers = std::any_of(newcomers_.begin(), newcomers_.end(),
                                     [](const auto& of_port) { return !of_port.second.empty(); });
  return waiting_.empty() && !newcomers && leaving_.empty() && endings_.empty();
}

}  // namespace connect_ha
