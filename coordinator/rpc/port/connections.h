// The coordinator's sockets: takes connections on both ports, and hands each to gRPC when it is its
// turn (connection_table.h). gRPC takes a whole message in before anybody is asked whether its
// sender may call, and a resource quota of it acts late; so what a newcomer has sent is looked at
// from outside, every 10 ms, in the system's count of the bytes of its connection, and whoever is
// over its bounds is hung up on.
//
// A connection stays counted until gRPC has closed its socket. This keeps a duplicate of each; the
// one that gRPC has is closed when its number is another file's or nobody's. gRPC shuts a socket
// down before it closes it, so its peer waits for no duplicate.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/log_pace.h"
#include "coordinator/rpc/port/connection_table.h"
#include "coordinator/rpc/port/sockets.h"

namespace connect_ha {

class Connections {
 public:
  // Gives a connected, non-blocking socket to gRPC, which closes it; false: there is nobody to take
  // it, and it is the caller's still. Called on a thread of this class.
  using HandOver = std::function<bool(Port port, int socket)>;

  Connections(const ConnectionBounds& bounds, HandOver hand_over);
  // Stops.
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Before Start. Listens on host:number (0: a free one) for `port` and returns the number; errors
  // as ListenOn.
  absl::StatusOr<int> Listen(Port port, const std::string& host, int number,
                             const std::string& option);
  absl::Status Start();
  // Listens no more, and hangs up on those that wait. What gRPC has is left to it. Returns when
  // nothing is handed over any more.
  void Stop();

  // Below: any thread.

  // A call of somebody who may call came from `peer`, in gRPC's words, on the nodes' port: `owner`
  // says who ("node/node-1"), and is asked only the first time.
  void Admit(const std::string& peer, const std::function<std::string()>& owner);
  // Who was removed: its connections end in a few seconds.
  void Forget(const std::string& owner);
  // Connections that gRPC has.
  size_t served() const;

 private:
  using Id = ConnectionTable::Id;
  // Used by the loop alone.
  struct Socket {
    Port port = Port::kNodes;
    OwnedFd kept;
    int given = -1;  // gRPC's
    ino_t inode = 0;
    bool over = false;  // it was shut down; gRPC may have it open still
  };

  void Loop();
  void Handle(uint64_t tag);
  void Accept(Port port, int listener);
  void Look();
  void HandOutTurns();
  bool Serve(Id id, Socket& socket);
  void HangUp(const std::vector<ConnectionTable::Ending>& endings);
  void RemoveClosed();
  void Remove(Id id);
  void Wake();

  const HandOver hand_over_;
  OwnedFd epoll_;
  OwnedFd wake_;
  std::vector<std::pair<Port, OwnedFd>> listeners_;
  std::unordered_map<Id, Socket> sockets_;
  std::vector<Id> over_;  // those of sockets_ that are
  LogPace pace_;          // by neighbour

  mutable std::mutex mutex_;
  ConnectionTable table_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace connect_ha
