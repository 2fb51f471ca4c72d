// `connect-ha-agent preflight`: what Connect's unit runs before each start (ExecStartPre=).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "agent/host/writable_host.h"
#include "agent/preflight/preflight.h"
#include "common/command/command_line.h"

namespace connect_ha {

// systemd ends a start that takes too long (90 s, and Connect has to start in them, too), and
// nobody would know why: an answer comes in 32 s. Less would keep Connect off a node that is only
// slow: this program and its libraries are read from a disk that is cold, beside whatever else
// boots.
inline constexpr std::chrono::milliseconds kPreflightWithin{30'000};

struct PreflightCall {
  PreflightOptions options;
  std::string invocation;  // $INVOCATION_ID
  std::chrono::milliseconds within = kPreflightWithin;
};

struct PreflightAnswer {
  int code = kFails;  // kHolds: Connect may start
  // Something hangs that was looked at: the process must end without waiting for its threads.
  bool stuck = false;
};

// Says in one line why Connect may not start, or starts although something is wrong, keeps that for
// the agent, and uses up an override, which it keeps beyond the next start and a boot (where the
// disk does not take that, it says so, and Connect starts all the same). The line comes into the
// unit's log; of a refusal it is the unit's status, too, where systemd takes the preflight's word
// ($NOTIFY_SOCKET), and `systemctl status` shows it until the next try.
PreflightAnswer RunPreflight(const std::shared_ptr<WritableHost>& host, const PreflightCall& call,
                             Terminal& terminal);

// Says what was looked at. Keeps nothing and uses nothing up.
PreflightAnswer ExplainPreflight(const std::shared_ptr<WritableHost>& host,
                                 const PreflightCall& call, Terminal& terminal);

// Has the preflight let the next start through, whatever is found. `by`: who says so, for people.
int OverridePreflight(WritableHost& host, const std::string& reason, const std::string& by,
                      Terminal& terminal);

}  // namespace connect_ha
