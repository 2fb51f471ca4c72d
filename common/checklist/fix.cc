#include "common/checklist/fix.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace connect_ha {
namespace {

// What Connect needs in order to start, or to come back.
v1::Fix Starting(v1::Fix fix) {
  return Needing(std::move(fix),
                 {"configuration-is-valid", "storage-is-mounted", "storage-is-alive"});
}

}  // namespace

v1::Fix Type(const std::string& node, std::initializer_list<std::string> commands,
             const std::string& note) {
  v1::Fix fix;
  fix.set_on(node);
  for (const std::string& command : commands) fix.add_commands(command);
  fix.set_note(note);
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

std::string ShellWord(const std::string& text) {
  constexpr char kPlain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace connect_ha
