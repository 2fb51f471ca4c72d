#include "common/checklist/fix.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/text/printable.h"

namespace connect_ha {
namespace {

// What Connect needs in order to start, or to come back.
v1::Fix Starting(v1::Fix fix) {
  return Needing(std::move(fix),
                 {"configuration-is-valid", "storage-is-mounted", "storage-is-alive"});
}

bool CanBePasted(const std::string& command) {
  for (size_t i = 0; i < command.size(); ++i) {
    if (ControlBytes(command, i) > 0) return false;
  }
  return true;
}

// What deb-version(7) and deb-control(5) let stand there, so that neither is an option, a file or
// two words.
bool IsDebianWord(absl::string_view text, absl::string_view others) {
  return !text.empty() && absl::ascii_isalnum(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [others](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  others.find(c) != absl::string_view::npos;
         });
}

}  // namespace

v1::Fix Type(const std::string& node, std::initializer_list<std::string> commands,
             const std::string& note) {
  v1::Fix fix;
  fix.set_on(node);
  fix.set_note(Printable(note));
  if (!std::all_of(commands.begin(), commands.end(), CanBePasted)) {
    fix.set_note(
        "what is to be typed holds control characters, and is not shown; the facts show what it is "
        "of");
    return fix;
  }
  for (const std::string& command : commands) fix.add_commands(command);
  return fix;
}

v1::Fix ByHand(const std::string& node, const std::string& note) { return Type(node, {}, note); }

v1::Fix StartConnect(const std::string& node) {
  return Starting(Type(node, {"systemctl start rstudio-connect"}));
}

v1::Fix RestartConnect(const std::string& node) {
  v1::Fix fix = Starting(Type(node, {"systemctl restart rstudio-connect"}));
  fix.set_stops_connect(true);
  return fix;
}

v1::Fix StopConnect(const std::string& node) {
  v1::Fix fix = Type(node, {"systemctl stop rstudio-connect"});
  fix.set_stops_connect(true);
  return fix;
}

v1::Fix Needing(v1::Fix fix, std::initializer_list<const char*> rules) {
  for (const char* rule : rules) fix.add_needs(rule);
  return fix;
}

v1::Fix LookAtConnect(const std::string& node) {
  return Type(node, {"systemctl status rstudio-connect", "journalctl -u rstudio-connect -n 50"});
}

v1::Fix ReinstallPackage(const std::string& node, const std::string& package,
                         const std::string& version, const std::string& note) {
  if (!IsDebianWord(package, "+-.") || !IsDebianWord(version, "+-.~:")) {
    return ByHand(node, absl::StrCat("install ", package, " again in the version that is there (",
                                     version, "): dpkg -l shows what they are"));
  }
  return Type(node, {absl::StrCat("apt-get install --reinstall ", package, "=", version)}, note);
}

}  // namespace connect_ha
