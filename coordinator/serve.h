#pragma once

#include <chrono>
#include <string>

namespace connect_ha {

struct ServeOptions {
  std::string dir = "/var/lib/connect-ha";
  std::string spec = "/etc/connect-ha/cluster.yaml";
  std::string listen;        // host:port; empty: every address, the port that nodes call
  std::string enrol_listen;  // host:port; empty: as `listen`, the next port
  std::string log_level = "info";
};

// Runs the coordinator until SIGTERM or SIGINT; SIGHUP reloads (coordinator.h). Tells systemd when
// it is ready and, as long as its loop turns, that it is alive (watchdog.h). Returns the exit code:
// 0 after a clean stop, 2 when it could not start, 3 when another coordinator has opened its store
// (both said on standard error).
int Serve(const ServeOptions& options);

// How long its loop rests after so much work: nine times as long, so that evaluating a large
// cluster takes a tenth of its time, but 200 ms at the least and ten seconds at the most.
std::chrono::milliseconds RestAfter(std::chrono::milliseconds work);

}  // namespace connect_ha
