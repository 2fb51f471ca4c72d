// No fix harms, whatever the fault, alone or with a second one on another node, and however often
// it is typed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "tests/common/checklist/fake_shell.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

// Twice, as somebody tired does it.
void TypeEveryFix(const v1::Snapshot& cluster, const std::string& what) {
  const v1::Checklist checklist = Evaluate(cluster);
  for (const v1::Finding& finding : checklist.findings()) {
    FakeShell shell(cluster);
    for (int round = 0; round < 2; ++round) {
      for (const v1::Fix& fix : finding.fixes()) {
        const auto refused = shell.Type(fix);
        EXPECT_FALSE(refused) << what << ": " << finding.rule() << " on " << fix.on() << ": "
                              << *refused;
      }
    }
    const auto lost = shell.WhatIsLost();
    EXPECT_FALSE(lost) << what << ": " << finding.rule() << ": " << *lost;
  }
}

TEST(Fixes, HarmNothing) {
  for (const ClusterFile& file : ClusterFiles()) {
    TypeEveryFix(LoadCluster(file.Path(".textproto")), file.Path(""));
  }
}

// A cluster with node-2 of one fixture and, as node-3, that of another. One fixture of each rule;
// with CONNECT_HA_EVERY_PAIR set each with each, which takes minutes.
TEST(Fixes, HarmNothingWithASecondFaultElsewhere) {
  const bool every = std::getenv("CONNECT_HA_EVERY_PAIR") != nullptr;
  std::vector<std::pair<std::string, v1::NodeSnapshot>> faulty;
  std::set<std::string> rules;
  for (const ClusterFile& file : ClusterFiles()) {
    if (file.Promises() != v1::FAIL) continue;
    if (!rules.insert(file.rule).second && !every) continue;
    const v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      if (node.name() == "node-2") faulty.emplace_back(file.rule + "/" + file.name, node);
    }
  }
  ASSERT_GT(faulty.size(), 25u);
  v1::Snapshot cluster = BaseOfFour();
  for (size_t i = 0; i < faulty.size(); ++i) {
    *cluster.mutable_nodes(1) = faulty[i].second;
    for (size_t j = 0; j < i; ++j) {
      *cluster.mutable_nodes(2) = faulty[j].second;
      cluster.mutable_nodes(2)->set_name("node-3");
      TypeEveryFix(cluster, faulty[i].first + " and " + faulty[j].first);
      if (HasFailure()) return;
    }
  }
}

// What an empty finding cannot: the words are there, and commands are lines.
TEST(Fixes, AreThereForWhatDoesNotPass) {
  for (const ClusterFile& file : ClusterFiles()) {
    const v1::Checklist checklist = Evaluate(LoadCluster(file.Path(".textproto")));
    for (const v1::Finding& finding : checklist.findings()) {
      const bool wants = finding.outcome() == v1::FAIL || finding.outcome() == v1::UNKNOWN;
      EXPECT_EQ(!finding.fixes().empty(), wants) << finding.rule() << " in " << file.Path("");
      for (const v1::Fix& fix : finding.fixes()) {
        EXPECT_TRUE(fix.commands_size() > 0 || !fix.note().empty() || !fix.held_by().empty())
            << finding.rule() << " in " << file.Path("");
        for (const std::string& command : fix.commands()) {
          EXPECT_EQ(command.find('\n'), std::string::npos) << command;
          EXPECT_FALSE(absl::StrContains(command, "NODE")) << command;
        }
        for (const std::string& need : fix.needs()) EXPECT_NE(FindRule(need), nullptr) << need;
      }
    }
  }
}

TEST(FakeShell, RefusesWhatDestroys) {
  FakeShell shell(BaseCluster());
  const auto type = [&shell](const std::string& command) {
    v1::Fix fix;
    fix.set_on("node-2");
    fix.add_commands(command);
    return shell.Type(fix).has_value();
  };
  for (const char* command :
       {"rm -r /mnt/connect/data", "mv /mnt/connect/data/db/secret.key /root/",
        "scp root@node-1:/mnt/connect/data/db/secret.key /mnt/connect/data/db/secret.key",
        "cp -p /a /mnt/connect/data/db/secret.key", "chown -R root /mnt/connect/data",
        "usermod -u 999 rstudio-connect", "systemctl restart rstudio-connect",
        "systemctl stop a; rm b", "echo x >> /etc/fstab", "umount -l /mnt/connect", "cat $(rm x)",
        "no-such-command", "apt-get install --reinstall rstudio-connect"}) {
    EXPECT_TRUE(type(command)) << command;
  }
  for (const char* command :
       {"printf '%s\\n' 'x' > /etc/udev/rules.d/99-z-connect-ha-read-ahead.rules",
        "udevadm control --reload", "findmnt /mnt/connect", "du -xh / | sort -h | tail",
        "systemctl status rstudio-connect", "chmod 0600 /mnt/connect/data/db/secret.key",
        "mkdir -p /opt/quarto/1.5.57"}) {
    EXPECT_FALSE(type(command)) << command;
  }
}

TEST(FakeShell, LetsOnlyWhatIsStaleBeTakenOffLazily) {
  v1::Snapshot cluster = BaseCluster();
  cluster.mutable_nodes(1)->mutable_facts()->mutable_storage()->mutable_answers(0)->set_error(
      "stale file handle");
  FakeShell shell(cluster);
  v1::Fix fix;
  fix.set_on("node-2");
  fix.add_commands("umount -l /mnt/connect");
  EXPECT_FALSE(shell.Type(fix));
  fix.set_on("node-1");
  EXPECT_TRUE(shell.Type(fix));
}

TEST(FakeShell, SeesAShareThatIsGoneAfterTheSecondTime) {
  FakeShell shell(BaseCluster());
  v1::Fix fix;
  fix.set_on("node-2");
  fix.add_commands("umount /mnt/connect");
  EXPECT_FALSE(shell.Type(fix));
  EXPECT_TRUE(shell.WhatIsLost());
  fix.add_commands("systemctl start mnt-connect.mount");
  EXPECT_FALSE(shell.Type(fix));
  EXPECT_FALSE(shell.WhatIsLost());
}

}  // namespace
}  // namespace connect_ha::test
