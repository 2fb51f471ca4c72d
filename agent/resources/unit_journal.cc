#include "agent/resources/unit_journal.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {

std::string ReadJournal(Host& host, const std::string& unit, int lines) {
  const absl::StatusOr<CommandResult> run =
      host.Run({"/usr/bin/journalctl", "--quiet", "--no-pager", "--output=cat", "--boot",
                absl::StrCat("--lines=", lines), "--unit=" + unit},
               CommandOptions());
  return run.ok() && run->exit_code == 0 ? run->output : "";
}

}  // namespace connect_ha
