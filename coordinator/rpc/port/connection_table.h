// Which connections are served, and for how long: counted by neighbour (peer.h), in all, by their
// bytes, and by who calls over them. Decides only; connections.h has the sockets. Knows no clock.
//
// A connection waits until it is its turn, is a newcomer until a call of somebody who may call came
// over it, and is known from then on. Nobody is known on the enrolment port. One that has to go
// counts as what it was until it is removed: its memory is in use until then.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace connect_ha {

enum class Port { kNodes, kEnrolment };

// Together they keep below 32 MiB what peers without a certificate can make of this process: 96 and
// 24 newcomers with a TLS connection of some 100 KB each, and what they may send where they join.
// (Where a certificate is demanded, nothing of theirs is kept; who has one may send a whole report
// before it is known.)
struct NewcomerBounds {
  size_t of_one;  // neighbour
  size_t in_all;
  std::chrono::milliseconds patience;  // from its turn on; less where others wait (MakeRoom)
  uint64_t bytes;                      // that each may have sent
  uint64_t bytes_together;
};

struct ConnectionBounds {
  // A report is 5 MiB at the most (methods.h), and there is TLS around it.
  NewcomerBounds nodes{24, 96, std::chrono::seconds(15), 6 << 20, 64 << 20};
  NewcomerBounds enrolment{6, 24, std::chrono::seconds(20), 128 << 10, 2 << 20};
  // Taken from the system, and not yet handed on.
  size_t waiting = 2048;
  // As long as a client of ours waits for a connection (channel.cc).
  std::chrono::milliseconds waiting_patience = std::chrono::seconds(20);
  size_t in_all = 24'000;  // served, newcomers and known
  // An agent has one or two, and those of it that broke are noticed in 80 s.
  size_t of_a_node = 8;
  size_t of_an_admin = 64;
};

// The bounds for a process that may have `files` open: a connection takes two once it is served.
ConnectionBounds FitToFiles(ConnectionBounds bounds, size_t files);

class ConnectionTable {
 public:
  using Id = uint64_t;
  using Time = std::chrono::steady_clock::time_point;

  // One that has to be hung up on.
  struct Ending {
    Id id;
    std::string peer;   // its PeerName
    std::string owner;  // who calls over it, "" for a newcomer
    std::string reason;
  };

  explicit ConnectionTable(const ConnectionBounds& bounds) : bounds_(bounds) {}

  // One that came, to wait for its turn. Where too many wait, one of the neighbour that has most of
  // them has to go; this one, where nobody has more than its own.
  Id Add(Port port, const std::string& peer, Time now);
  // Whose turn it is: that of a neighbour with the fewest newcomers; of those the one that has
  // waited longest. It is a newcomer from now on.
  std::optional<Id> Next(Time now);
  // What a newcomer has sent so far.
  void Received(Id id, uint64_t bytes);
  // Over the newcomer `peer` of the nodes' port came a call of `owner` ("node/node-1"), who was let
  // in. Where the owner has too many connections, the oldest has to go: it is the most likely to be
  // broken.
  void Know(const std::string& peer, const std::string& owner);
  bool IsKnown(const std::string& peer) const;
  // The owner is nobody any more: its connections go once it had time to be told.
  void Forget(const std::string& owner, Time now);
  // It is over, and what it had is free.
  void Remove(Id id);

  // Those that have to go, each told once.
  std::vector<Ending> Endings(Time now);

  std::vector<Id> newcomers() const;
  size_t waiting() const { return waiting_.size(); }
  size_t served() const { return served_; }
  bool empty() const { return connections_.empty(); }
  // Nothing changes by the passing of time alone.
  bool quiet() const;

 private:
  // Turned away: it counts as nothing, as nobody was given it.
  enum class State { kWaiting, kTurnedAway, kNewcomer, kKnown };
  struct Neighbour {
    size_t waiting = 0;
    std::map<Port, size_t> newcomers;
    bool idle() const { return waiting == 0 && newcomers.empty(); }
  };
  using Neighbours = std::map<std::string, Neighbour>;
  struct Connection {
    Id id = 0;
    Port port = Port::kNodes;
    std::string peer;
    Neighbours::iterator neighbour;            // while it waits or is a newcomer
    std::list<Connection*>::iterator waiting;  // while it waits
    State state = State::kWaiting;
    Time since;  // of the state
    uint64_t received = 0;
    std::string owner;
    bool ending = false;
  };

  const NewcomerBounds& BoundsOf(Port port) const;
  bool MayBeNext(const Connection& connection) const;
  void LeaveState(Connection& connection);
  void LeaveNeighbour(Neighbours::iterator neighbour);
  void End(Connection& connection, const std::string& reason);
  void EndOneThatWaits(Connection& latest);
  void EndOverdue(Time now);
  void EndGreedy(Port port);
  void MakeRoom(Port port, Time now);

  const ConnectionBounds bounds_;
  Id last_id_ = 0;
  std::unordered_map<Id, Connection> connections_;
  Neighbours neighbours_;
  std::list<Connection*> waiting_;  // the first came first
  std::map<Port, std::set<Id>> newcomers_;
  std::unordered_map<std::string, Id> by_peer_;    // served on the nodes' port
  std::map<std::string, std::list<Id>> by_owner_;  // the first was known first
  std::map<Id, Time> leaving_;                     // of forgotten owners: when
  std::vector<Ending> endings_;                    // not yet told
  size_t served_ = 0;
};

}  // namespace connect_ha
