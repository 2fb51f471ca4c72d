#pragma once

#include <string>

namespace connect_ha {

// Sends spdlog's default logger to standard error, one line an event: with journald's priority
// prefix ("<4>...") and no time of its own when run by systemd ($JOURNAL_STREAM is set), else
// with time and level for a person. `level`: trace, debug, info, warn, error.
void SetUpLog(const std::string& level);

// A value for a key=value log line: quoted when it has blanks, quotes or what is no text, of which
// each is a '?': journalctl shows nothing of a line with such in it.
std::string LogValue(const std::string& value);

}  // namespace connect_ha
