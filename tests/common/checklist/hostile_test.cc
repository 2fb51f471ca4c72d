// What a node says may be anything, and becomes part of commands that root pastes there or on other
// nodes: its words stand in quotes, are no options, and name nothing to install.
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/fix.h"
#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// It ends quotes that stand around it, too.
constexpr char kHostile[] = ";touch /tmp/p|id&>y $(id) 'a;touch b' \"`id`\" -rf";
constexpr char kOption[] = "-rf touch";
constexpr char kKeys[] = "\x03\ntouch y\r";

// By these the rules decide: with other values there, most of what the rest does is not shown.
const std::set<std::string>& Decisive() {
  static const std::set<std::string> fields = {
      "ClockFacts.time_service", "ConfigKey.name",         "ConfigKey.section",
      "ConfigKey.subsection",    "ConfigKey.values",       "ConnectFacts.running_version",
      "DataDirectory.key",       "DatabaseFacts.ssl_mode", "EncryptionKeyFacts.sources",
      "HostFacts.architecture",  "HostFacts.boot_id",      "HostFacts.machine_id",
      "HostFacts.os_id",         "HostFacts.os_version",   "LicenseFacts.kind",
      "LicenseFacts.status",     "Mount.fs_type",          "OwnMountUnit.unit_file_state",
      "Package.status",          "Package.version",        "Runtime.version",
      "Unit.active_state",       "Unit.load_state",        "Unit.sub_state",
      "Unit.unit_file_state",    "Unobserved.path"};
  return fields;
}

// "Mount.fs_type"
std::string NameOf(const FieldDescriptor& field) {
  return absl::StrCat(field.containing_type()->name(), ".", field.name());
}

using IsMeant = std::function<bool(const std::string& field)>;
using Change = std::function<std::string(const std::string& text)>;

// Every text that is set, below the message, too.
void ChangeTexts(Message& message, const IsMeant& is_meant, const Change& change) {
  const Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
    if (!is_message && !(is_text && is_meant(NameOf(*field)))) continue;
    for (int i = 0; field->is_repeated() && i < reflection->FieldSize(message, field); ++i) {
      if (is_message) {
        ChangeTexts(*reflection->MutableRepeatedMessage(&message, field, i), is_meant, change);
      } else {
        reflection->SetRepeatedString(&message, field, i,
                                      change(reflection->GetRepeatedString(message, field, i)));
      }
    }
    if (field->is_repeated()) continue;
    if (is_message) {
      ChangeTexts(*reflection->MutableMessage(&message, field), is_meant, change);
    } else {
      reflection->SetString(&message, field, change(reflection->GetString(message, field)));
    }
  }
}

void ChangeFacts(v1::NodeSnapshot& node, const IsMeant& is_meant, const Change& change) {
  if (node.has_facts()) ChangeTexts(*node.mutable_facts(), is_meant, change);
}

Change Append(const std::string& text) {
  return [text](const std::string& before) { return before + text; };
}

// An option of a mount keeps its name.
Change Replace(const std::string& text) {
  return
      [text](const std::string& before) { return before.substr(0, before.find('=') + 1) + text; };
}

// Of all that nodes say: names of texts that are set.
std::set<std::string> FieldsOf(v1::Snapshot cluster) {
  std::set<std::string> fields;
  const IsMeant remember = [&fields](const std::string& field) {
    fields.insert(field);
    return false;
  };
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) ChangeTexts(node, remember, Append(""));
  return fields;
}

// A line as a POSIX shell reads it.
struct Line {
  std::string bare;                // what no quotes cover, or what counts in spite of them
  std::vector<std::string> words;  // quotes taken off
  bool is_whole = true;            // every quote ends
};

Line Read(const std::string& command) {
  Line line;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      word += command[++i];
      in_word = true;
    } else if (quote != '\0') {
      if (quote == '"' && (c == '$' || c == '`')) line.bare += c;
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else {
      line.bare += c;
      if (c != ' ') {
        word += c;
        in_word = true;
      } else if (in_word) {
        line.words.push_back(word);
        word.clear();
        in_word = false;
      }
    }
  }
  if (in_word) line.words.push_back(word);
  line.is_whole = quote == '\0';
  return line;
}

// "-rf" of a node, where the program would look for options.
bool HasOption(const std::vector<std::string>& words) {
  const std::set<std::string> takes_the_next = {"-h", "-U", "-d", "-connect"};
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (!absl::StartsWith(words[i], "-rf")) continue;
    if (i == 0 || takes_the_next.count(words[i - 1]) == 0) return true;
  }
  return false;
}

// What is wrong with it; "" for nothing. Rules make pipes and write files themselves.
std::string Danger(const std::string& command) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (std::any_of(command.begin(), command.end(), is_control)) return "a control character";
  const Line line = Read(command);
  if (!line.is_whole) return "a quote without end";
  if (line.bare.find_first_of(";$`&<(){}#") != std::string::npos) return "is for the shell";
  if (absl::StrContains(line.bare, "touch")) return "a node's word without quotes";
  return HasOption(line.words) ? "a node's word as an option" : "";
}

// Notes are prose, but for what is to be typed in them.
bool HasBareWord(const std::string& note) {
  const std::vector<std::string> commands = {"touch ",         "findmnt --fstab ",
                                             "systemctl cat ", "umount -f -l ",
                                             "umount -l ",     "--no-create-home "};
  for (const std::string& typed : commands) {
    for (size_t at = note.find(typed); at != std::string::npos; at = note.find(typed, at + 1)) {
      const std::string rest = note.substr(at + typed.size());
      if (rest[0] != '\'' && absl::StrContains(rest.substr(0, rest.find_first_of(" )")), ";"))
        return true;
    }
  }
  return false;
}

void AddCommandsOf(const v1::Finding& finding, std::vector<std::string>& commands) {
  for (const v1::Fix& fix : finding.fixes()) {
    commands.insert(commands.end(), fix.commands().begin(), fix.commands().end());
    EXPECT_FALSE(HasBareWord(fix.note())) << finding.rule() << ": " << fix.note();
  }
}

std::vector<std::string> CommandsOf(const v1::Snapshot& cluster) {
  std::vector<std::string> commands;
  const v1::Checklist checklist = Evaluate(cluster);
  for (const v1::Finding& finding : checklist.findings()) AddCommandsOf(finding, commands);
  return commands;
}

class Hostile : public ::testing::Test {
 protected:
  void ExpectNoDanger(const v1::Snapshot& cluster, const std::string& what) {
    ExpectNoDanger(CommandsOf(cluster), what);
  }
  void ExpectNoDanger(const std::vector<std::string>& commands, const std::string& what) {
    for (const std::string& command : commands) {
      if (absl::StrContains(command, "touch")) ++quoted_;
      EXPECT_EQ(Danger(command), "") << what << ": " << command;
    }
  }

  int quoted_ = 0;  // commands with what a node said
};

// One node, and every node, for which the others then are right. Each cluster with two of the texts
// in turn: with all of them it takes a minute.
TEST_F(Hostile, WhatNodesSayIsNoCommand) {
  const IsMeant is_meant = [](const std::string& field) { return Decisive().count(field) == 0; };
  const std::vector<Change> changes = {Append(kHostile), Replace(absl::StrCat("x", kHostile)),
                                       Replace(absl::StrCat("/x", kHostile)), Replace(kOption),
                                       Append(kKeys)};
  size_t turn = 0;
  for (const ClusterFile& file : ClusterFiles()) {
    if (file.Promises() == v1::PASS || file.Promises() == v1::NOT_APPLICABLE) continue;
    const v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    for (int texts = 0; texts < 2; ++texts) {
      const Change& change = changes[turn++ % changes.size()];
      v1::Snapshot changed = cluster;
      for (int i = 0; i < changed.nodes_size(); ++i) {
        ChangeFacts(*changed.mutable_nodes(i), is_meant, change);
        if (i == 0) ExpectNoDanger(changed, file.Path(""));
      }
      ExpectNoDanger(changed, file.Path(""));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(quoted_, 300);
}

// By the rule alone that fails.
TEST_F(Hostile, NorIsASingleTextOfThem) {
  for (const ClusterFile& file : ClusterFiles()) {
    if (file.Promises() != v1::FAIL) continue;
    const v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    const auto judge = FindRule(file.rule)->judge;
    for (const std::string& field : FieldsOf(cluster)) {
      v1::Snapshot changed = cluster;
      for (v1::NodeSnapshot& node : *changed.mutable_nodes()) {
        ChangeFacts(
            node, [&field](const std::string& one) { return one == field; }, Append(kHostile));
      }
      std::vector<std::string> commands;
      AddCommandsOf(judge(changed), commands);
      ExpectNoDanger(commands, absl::StrCat(file.Path(""), " ", field));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(quoted_, 20);
}

TEST_F(Hostile, NamesAreNoCommands) {
  for (const ClusterFile& file : ClusterFiles()) {
    if (file.Promises() != v1::UNKNOWN) continue;
    v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
      node.set_name(absl::StrCat(node.name(), kHostile));
      node.set_agent_version(kHostile);
    }
    cluster.set_coordinator_version(absl::StrCat("1", kHostile));
    ExpectNoDanger(cluster, file.Path(""));
  }
  EXPECT_GT(quoted_, 10);
}

// Node-2 is new, and is to have what node-1 says that it serves with.
std::vector<std::string> CommandsWhereOneServesWith(const std::string& version) {
  v1::Snapshot cluster = BaseCluster();
  cluster.mutable_spec()->clear_connect();
  cluster.mutable_spec()->clear_runtimes();
  v1::Facts& serves = *cluster.mutable_nodes(0)->mutable_facts();
  for (v1::Runtime& runtime : *serves.mutable_runtimes()->mutable_runtimes()) {
    runtime.set_version(version);
  }
  serves.mutable_connect()->mutable_package()->set_version(version);
  serves.mutable_connect()->set_running_version(version);
  v1::Facts& is_new = *cluster.mutable_nodes(1)->mutable_facts();
  is_new.mutable_runtimes()->clear_runtimes();
  is_new.mutable_connect()->mutable_unit()->set_active_state("inactive");
  is_new.mutable_connect()->clear_ping();
  is_new.mutable_connect()->clear_running_version();
  return CommandsOf(cluster);
}

TEST_F(Hostile, AVersionThatIsNoneIsNothingToInstall) {
  const std::vector<std::string> installs = CommandsWhereOneServesWith("9.9.9");
  for (const char* command :
       {"apt-get install ./rstudio-connect_9.9.9*.deb", "apt-get install ./r-9.9.9_1_amd64.deb"}) {
    EXPECT_EQ(std::count(installs.begin(), installs.end(), command), 1) << command;
  }
  for (const char* version : {"9.9.9;touch x", "9.9/../../../tmp/touch", "touch"}) {
    for (const std::string& command : CommandsWhereOneServesWith(version)) {
      EXPECT_FALSE(absl::StrContains(command, "touch")) << command;
    }
  }
}

TEST(Type, LeavesOutWhatATerminalWouldTakeForKeys) {
  for (const char* odd : {"ls 'a\nb'", "ls '\x03'", "ls '\x7f'", "ls '\xc2\x9b'"}) {
    const v1::Fix fix = Type("a", {"findmnt", odd}, "look");
    EXPECT_EQ(fix.commands_size(), 0) << odd;
    EXPECT_TRUE(absl::StrContains(fix.note(), "control characters")) << fix.note();
  }
  EXPECT_EQ(Type("a", {"ls caf\xc3\xa9"}, "look").commands_size(), 1);
  EXPECT_EQ(ByHand("a", "set x\nthen y").note(), "set x then y");
}

TEST(ReinstallPackage, NamesAPackageAndAVersionAlone) {
  const v1::Fix fix = ReinstallPackage("a", "r-4.3.3", "1:4.3.3-1~x+2");
  ASSERT_EQ(fix.commands_size(), 1);
  EXPECT_EQ(fix.commands(0), "apt-get install --reinstall r-4.3.3=1:4.3.3-1~x+2");
  EXPECT_EQ(ReinstallPackage("a", "-oDPkg::Pre-Invoke::", "reboot").commands_size(), 0);
  EXPECT_EQ(ReinstallPackage("a", "./x", "1").commands_size(), 0);
  EXPECT_EQ(ReinstallPackage("a", "r", "1 x").commands_size(), 0);
  EXPECT_EQ(ReinstallPackage("a", "r", "").commands_size(), 0);
}

// Half a character, as at the end of a digest that is shown in part, and nobody could read what it
// is in.
TEST_F(Hostile, WhatIsShownInPartIsWholeCharacters) {
  const std::set<std::string> shown_in_part = {
      "Claimant.boot_id", "Claimant.machine_id", "ConfigKey.secret_digest",
      "EncryptionKeyFacts.fingerprint", "Runtime.build_digest"};
  std::set<std::string> seen;
  for (const ClusterFile& file : ClusterFiles()) {
    v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    char first = 'a';
    for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
      const std::string odd = first++ + std::string("\u00df\u00df\u00df\u00df\u00df\u00df\u00df");
      ChangeTexts(
          node, [&](const std::string& field) { return shown_in_part.count(field) > 0; },
          [&odd](const std::string&) { return odd; });
    }
    const v1::Finding finding = FindRule(file.rule)->judge(cluster);
    for (const v1::Evidence& line : finding.evidence()) {
      EXPECT_FALSE(absl::StrContains(line.text(), "\u00df?")) << file.Path("") << line.text();
      if (absl::StrContains(line.text(), "\u00df")) seen.insert(file.rule);
    }
  }
  EXPECT_GE(seen.size(), 4u) << absl::StrJoin(seen, " ");
}

// A directory without a slash is none, and is no reason to end.
TEST_F(Hostile, APathThatIsNoneIsNotCopied) {
  v1::Snapshot cluster = BaseCluster();
  cluster.clear_spec();
  cluster.mutable_nodes()->RemoveLast();
  v1::StorageFacts& storage = *cluster.mutable_nodes(0)->mutable_facts()->mutable_storage();
  for (v1::Mount& mount : *storage.mutable_mounts()) mount.set_fs_type("ext4");
  for (const char* path : {"touch", "-rf touch"}) {
    for (v1::DataDirectory& directory : *storage.mutable_directories()) {
      directory.set_path(path);
      directory.set_resolved(path);
    }
    for (const std::string& command : CommandsOf(cluster)) {
      EXPECT_FALSE(absl::StartsWith(command, "cp ")) << command;
    }
  }
}

}  // namespace
}  // namespace connect_ha::test
