#include "tests/common/checklist/fake_shell.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"

namespace connect_ha::test {
namespace {

// They look and change nothing, whatever their arguments.
const std::set<std::string> kLookers = {
    "journalctl", "findmnt", "ls",   "stat", "getent", "id",         "df",        "du",
    "ps",         "ss",      "cat",  "head", "tail",   "grep",       "sort",      "chronyc",
    "ping",       "fuser",   "lsof", "dig",  "host",   "mountpoint", "apt-cache", "namei"};

bool Has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The words that are neither the command nor an option.
std::vector<std::string> Operands(const std::vector<std::string>& words) {
  std::vector<std::string> operands;
  for (size_t i = 1; i < words.size(); ++i) {
    if (!absl::StartsWith(words[i], "-")) operands.push_back(words[i]);
  }
  return operands;
}

// "mnt-connect.mount" is /mnt/connect; an escaped name is undone as systemd-escape made it.
std::string MountPointOfUnit(absl::string_view unit) {
  if (!absl::ConsumeSuffix(&unit, ".mount")) return "";
  std::string path = "/";
  for (size_t i = 0; i < unit.size(); ++i) {
    if (unit[i] == '-') {
      path += '/';
    } else if (absl::StartsWith(unit.substr(i), "\\x2d")) {
      path += '-';
      i += 3;
    } else {
      path += unit[i];
    }
  }
  return path;
}

std::string Refused(const std::string& command, const std::string& why) {
  return absl::StrCat("\"", command, "\": ", why);
}

}  // namespace

std::optional<std::vector<std::string>> SimpleWords(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (const char c : command) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else if (quote == '"' && (c == '$' || c == '`')) {
        return std::nullopt;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ') {
      if (in_word) words.push_back(word);
      word.clear();
      in_word = false;
    } else if (absl::StrContains(";&|<>`$()\n\t#", absl::string_view(&c, 1))) {
      return std::nullopt;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') return std::nullopt;
  if (in_word) words.push_back(word);
  return words;
}

FakeShell::FakeShell(const v1::Snapshot& cluster) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    NodeState& state = nodes_[node.name()];
    const v1::Facts& facts = node.facts();
    const v1::DataDirectory* data = FindDirectory(facts, "Server.DataDir");
    const v1::Mount* mount = data == nullptr ? nullptr : FindMount(facts, data->mount_point());
    const bool is_shared = mount != nullptr && ReachOf(mount->fs_type()) == Reach::kNetwork;
    const bool is_valid =
        facts.configuration().errors().empty() && !WhyUnobserved(facts, "configuration.errors");
    state.can_start = is_shared && is_valid;
    for (const v1::DataDirectory& directory : facts.storage().directories()) {
      state.data.insert(directory.path());
      state.data.insert(directory.resolved());
    }
    state.data.erase("");
    state.keys.insert(facts.encryption_key().path());
    state.keys.erase("");
    for (const v1::MountAnswer& answer : facts.storage().answers()) {
      if (answer.has_error()) state.stale.insert(answer.mount_point());
    }
    for (const v1::StorageRound& round : facts.storage().rounds()) {
      for (const v1::StorageStep& step : round.steps()) {
        if (step.error_name() == "ESTALE") state.stale.insert(round.mount_point());
      }
    }
    for (const v1::Mount& one : facts.storage().mounts()) {
      const bool on_top = state.shares.count(one.mount_point()) > 0;
      if (ReachOf(one.fs_type()) == Reach::kNetwork) {
        state.shares[one.mount_point()] = 0;
      } else if (on_top) {
        ++state.shares[one.mount_point()];
      }
    }
  }
}

bool FakeShell::IsPrecious(const NodeState& node, const std::string& path) const {
  const auto holds = [&path](const std::string& one) {
    return IsBelow(path, one) || IsBelow(one, path);
  };
  return std::any_of(node.data.begin(), node.data.end(), holds) ||
         std::any_of(node.keys.begin(), node.keys.end(), holds);
}

std::optional<std::string> FakeShell::Type(const v1::Fix& fix) {
  // Where connect-ha is used there is nothing to lose but by its own commands.
  NodeState elsewhere;
  const auto found = nodes_.find(fix.on());
  if (!fix.on().empty() && found == nodes_.end()) return "there is no node " + fix.on();
  NodeState& node = fix.on().empty() ? elsewhere : found->second;
  for (const std::string& command : fix.commands()) {
    if (auto why = Run(node, fix, command)) return why;
  }
  return std::nullopt;
}

std::optional<std::string> FakeShell::Run(NodeState& node, const v1::Fix& fix,
                                          const std::string& command) {
  // A drop-in, or a rule of udev, of a name that is ours alone, written whole: the same however
  // often.
  const std::vector<std::string> drop_in = absl::StrSplit(command, " > ");
  const bool writes = drop_in.size() == 2 && absl::StartsWith(drop_in[0], "printf ");
  if (writes && absl::StartsWith(drop_in[1], "/etc/systemd/system/") &&
      absl::EndsWith(drop_in[1], "/connect-ha.conf")) {
    return std::nullopt;
  }
  if (writes && absl::StartsWith(drop_in[1], "/etc/udev/rules.d/99-z-connect-ha-")) {
    return std::nullopt;
  }
  for (const absl::string_view stage : absl::StrSplit(command, " | ")) {
    const auto words = SimpleWords(std::string(stage));
    if (!words || words->empty()) return Refused(command, "is not one simple command");
    if (stage != command && kLookers.count(words->front()) == 0) {
      return Refused(command, "only what looks may stand in a pipe");
    }
    if (auto why = RunWords(node, fix, *words)) return Refused(command, *why);
  }
  return std::nullopt;
}

std::optional<std::string> FakeShell::Systemctl(NodeState& node, const v1::Fix& fix,
                                                const std::vector<std::string>& words) {
  const std::vector<std::string> operands = Operands(words);
  if (operands.empty()) return "does nothing";
  const std::string& verb = operands[0];
  if (verb == "status" || verb == "cat" || verb == "show" || verb == "daemon-reload") {
    return std::nullopt;
  }
  if (operands.size() != 2) return "names no unit";
  const std::string& unit = operands[1];
  const bool is_connect = unit == "rstudio-connect" || unit == "rstudio-connect.service";
  if (verb == "stop" || verb == "restart") {
    if (is_connect && !fix.stops_connect()) return "stops Connect, and does not say so";
  }
  if ((verb == "start" || verb == "restart") && is_connect && !node.can_start) {
    return "starts Connect where its file is not valid or its share is not there";
  }
  const std::string point = MountPointOfUnit(unit);
  if (!point.empty()) {
    if (verb == "restart" || verb == "stop" || verb == "reload") {
      return "a mount that hangs takes systemd with it";
    }
    node.lost_shares.erase(point);
    return std::nullopt;
  }
  const std::set<std::string> verbs = {"start", "stop", "restart", "enable", "unmask"};
  return verbs.count(verb) > 0 ? std::nullopt : std::optional<std::string>("unknown verb " + verb);
}

std::optional<std::string> FakeShell::RunWords(NodeState& node, const v1::Fix& fix,
                                               const std::vector<std::string>& words) {
  const std::string& name = words[0];
  const std::vector<std::string> operands = Operands(words);
  if (kLookers.count(name) > 0) return std::nullopt;
  if (name == "connect-ha" || name == "connect-ha-agent") {
    return Has(words, "remove") ? std::optional<std::string>("a person removes a node")
                                : std::nullopt;
  }
  if (name == "systemctl") return Systemctl(node, fix, words);
  if (name == "udevadm") {
    return Has(words, "control") || Has(words, "trigger") ? std::nullopt
                                                          : std::optional<std::string>("unknown");
  }
  if (name == "sysctl") {
    return words.back() == "vm.drop_caches=2" ? std::nullopt
                                              : std::optional<std::string>("unknown");
  }
  if (name == "timedatectl") {
    return operands.empty() || operands[0] != "set-time"
               ? std::nullopt
               : std::optional<std::string>("sets a time");
  }
  if (name == "timeout" && words.size() > 2) {
    return RunWords(node, fix, {words.begin() + 2, words.end()});
  }
  if (name == "find") {
    return Has(words, "-delete") || Has(words, "-exec") ? std::optional<std::string>("may change")
                                                        : std::nullopt;
  }
  if (name == "psql") {
    return absl::StartsWith(words.back(), "select ") ? std::nullopt
                                                     : std::optional<std::string>("is no select");
  }
  if (name == "openssl") return Has(words, "s_client") ? std::nullopt : std::optional("unknown");
  if (absl::StartsWith(name, "/opt/") && (Has(words, "--version") || Has(words, "status"))) {
    return std::nullopt;
  }
  if (name == "dpkg") {
    return Has(words, "--verify") || Has(words, "--configure") ? std::nullopt
                                                               : std::optional("unknown");
  }
  if (name == "apt-get") {
    if (operands.empty() || operands[0] != "install") return "only install";
    if (Has(words, "--reinstall") && !absl::StrContains(words.back(), "=")) {
      return "without a version apt takes the newest";
    }
    return std::nullopt;
  }
  if (name == "mkdir")
    return Has(words, "-p") ? std::nullopt : std::optional("fails when repeated");
  if (name == "umount") {
    if (Has(words, "-f")) return "leaves what is open behind";
    if (Has(words, "-l")) {
      // Of what is gone nothing is open that could go on.
      for (const std::string& point : operands) {
        if (node.stale.count(point) == 0) return "leaves what is open behind";
      }
    }
    for (const std::string& point : operands) {
      const auto share = node.shares.find(point);
      if (share == node.shares.end()) continue;
      if (share->second > 0) {
        --share->second;
      } else {
        node.lost_shares.insert(point);
      }
    }
    return std::nullopt;
  }
  if (name == "mount") {
    for (const std::string& point : operands) node.lost_shares.erase(point);
    return std::nullopt;
  }
  if (name == "chmod" || name == "chown") {
    if (Has(words, "-R")) return "changes everything below";
    for (size_t i = 1; i < operands.size(); ++i) {
      if (node.data.count(operands[i]) > 0) return "changes a data directory";
    }
    return std::nullopt;
  }
  if (name == "cp") {
    const bool keeps = Has(words, "-n") || Has(words, "-an") || Has(words, "--no-clobber");
    return keeps ? std::nullopt : std::optional<std::string>("may overwrite");
  }
  if (name == "tar") {
    const auto to = std::find(words.begin(), words.end(), "-C");
    if (to == words.end() || to + 1 == words.end()) return "unpacks wherever one is";
    return IsPrecious(node, *(to + 1)) ? std::optional<std::string>("unpacks over data")
                                       : std::nullopt;
  }
  return "is not known to be safe";
}

std::optional<std::string> FakeShell::WhatIsLost() const {
  for (const auto& [name, node] : nodes_) {
    if (!node.lost_shares.empty()) {
      return absl::StrCat(name, " lost the share at ", *node.lost_shares.begin());
    }
  }
  return std::nullopt;
}

}  // namespace connect_ha::test
