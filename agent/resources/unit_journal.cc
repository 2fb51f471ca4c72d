#include "agent/resources/unit_journal.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

std::string Read(Host& host, int lines, const std::string& which) {
  const absl::StatusOr<CommandResult> run =
      host.Run({"/usr/bin/journalctl", "--quiet", "--no-pager", "--output=cat", "--boot",
                absl::StrCat("--lines=", lines), which},
               CommandOptions());
  return run.ok() && run->exit_code == 0 ? run->output : "";
}

}  // namespace

std::string ReadJournal(Host& host, const std::string& unit, int lines) {
  return Read(host, lines, "--unit=" + unit);
}

std::string ReadPrinted(Host& host, const std::string& unit, int lines) {
  return Read(host, lines, "_SYSTEMD_UNIT=" + unit);
}

}  // namespace connect_ha
