// The agent is killed at every step of every resource, and started again.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

// Where a node begins, and what it then is to become.
struct Start {
  const char* name;
  v1::Assignment (*arrange)(BareNode& node);
};

v1::Assignment Bare(BareNode& node) { return node.FullAssignment(); }

void Tamper(BareNode& node) {
  node.host.SetFile("/opt/R/4.3.3/bin/R", "tampered");
  node.host.SetFile(kConfigFile, "[Server]\nAddress = https://elsewhere\n");
  node.host.SetFile("/var/lib/rstudio-connect/stale.lic", "an older licence");
  // Quarto, of an archive that nobody knows.
  node.host.Erase("/opt/quarto/.1.5.57.sha256");
}

// A node of an older specification, changed by hand since, with a package that failed: upgraded,
// and pruned.
v1::Assignment Other(BareNode& node) {
  v1::Assignment older = node.FullAssignment();
  v1::ClusterSpec& spec = *older.mutable_desired()->mutable_spec();
  older.mutable_desired()->set_generation(6);
  FakeDeb connect{"rstudio-connect", "2024.06.0~ubuntu22"};
  connect.files = {{"/opt/rstudio-connect/bin/connect", "connect 2024.06.0"}};
  connect.starts_connect = true;
  spec.mutable_connect()->set_version("2024.06.0");
  *spec.mutable_connect()->mutable_package() = node.Publish("older.deb", connect);
  FakeDeb unnamed{"r-4.1.0", "1"};
  unnamed.files = {{"/opt/R/4.1.0/bin/R", "R 4.1.0"}};
  v1::RuntimeSpec& r = *spec.mutable_runtimes()->add_r();
  r.set_version("4.1.0");
  *r.mutable_package() = node.Publish("r-4.1.0.deb", unnamed);
  node.SetTrial(v1::R, "4.1.0", {0, false, "smoke 42\n"});
  v1::RuntimeSpec& quarto = *spec.mutable_runtimes()->add_quarto();
  quarto.set_version("1.4.557");
  *quarto.mutable_archive() = node.PublishQuarto("1.4.557");
  node.SetTrial(v1::QUARTO, "1.4.557", {0, false, ""});
  FakeDeb failing{"r-4.0.5", "1"};
  failing.exit_code = 100;
  v1::RuntimeSpec& left = *spec.mutable_runtimes()->add_r();
  left.set_version("4.0.5");
  *left.mutable_package() = node.Publish("r-4.0.5.deb", failing);
  TestWatch watch(node.host);
  Agent(node).converge.Turn(older, watch);
  EXPECT_EQ(watch.last().troubles(0).resource(), "package r-4.0.5") << Describe(watch.last());
  // The rest of it, which the failure was in the way of.
  spec.mutable_runtimes()->mutable_r()->RemoveLast();
  Agent(node).converge.Turn(older, watch);
  EXPECT_EQ(watch.last().state(), v1::Convergence::CONVERGED) << Describe(watch.last());
  node.SetInstalled(failing, "install ok half-configured");
  node.host.SetFile(absl::StrCat(kStateDir, "/artifacts/r-4.0.5"), "begun begun\n");
  Tamper(node);
  v1::Assignment assignment = node.FullAssignment();
  assignment.mutable_desired()->mutable_spec()->mutable_runtimes()->set_prune(true);
  return assignment;
}

// "RESOURCE" to what it was and what it came to; each change of it begins where the one before
// ended.
std::map<std::string, std::string> Told(const ChangeJournal& journal, uint64_t generation) {
  std::map<std::string, v1::Change> told;
  for (const v1::ChangeMade& made : journal.Pending(1000)) {
    if (made.generation() != generation) continue;
    const auto [it, first] = told.emplace(made.change().resource(), made.change());
    if (first) continue;
    EXPECT_EQ(made.change().from(), it->second.to()) << made.change().resource();
    it->second.set_to(made.change().to());
  }
  std::map<std::string, std::string> texts;
  for (const auto& [resource, change] : told) {
    texts[resource] = absl::StrCat(change.from(), " -> ", change.to());
  }
  return texts;
}

// How often each .deb was installed: "" for no other.
std::map<std::string, int> Installs(const BareNode& node, const v1::ClusterSpec& spec) {
  std::map<std::string, int> installs;
  const auto count = [&](const v1::Artifact& deb) {
    installs[deb.url()] = node.InstallsOf(deb.sha256());
  };
  count(spec.connect().package());
  for (const v1::RuntimeSpec& r : spec.runtimes().r()) count(r.package());
  for (const v1::RuntimeSpec& python : spec.runtimes().python()) count(python.package());
  return installs;
}

// What a node is in the end.
struct End {
  std::map<std::string, std::string> told;
  std::map<std::string, int> installs;
  std::string packages;
  std::vector<std::string> files;
};

End EndOf(BareNode& node, const ChangeJournal& journal, const v1::Assignment& assignment) {
  End end;
  end.told = Told(journal, assignment.desired().generation());
  end.installs = Installs(node, assignment.desired().spec());
  end.packages = *node.host.ReadFile("/var/lib/dpkg/status");
  for (const char* directory : {"/opt", "/opt/R", "/opt/python", "/opt/quarto", kStateDir,
                                "/var/lib/connect-ha-agent/artifacts",
                                "/var/lib/connect-ha-agent/holds", "/var/lib/rstudio-connect"}) {
    const auto names = node.host.ListDirectory(directory);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      end.files.push_back(absl::StrCat(directory, "/", name));
    }
  }
  return end;
}

// Killed in every changing call, before it and halfway through it.
class KilledTest : public testing::TestWithParam<std::tuple<Start, FakeHost::Death>> {};

TEST_P(KilledTest, AtAnyStepTheNodeEndsRightAndNothingIsInstalledTwice) {
  const auto [start, death] = GetParam();
  BareNode whole;
  const v1::Assignment aim = start.arrange(whole);
  TestWatch whole_watch(whole.host);
  const size_t before = whole.host.changes().size();
  Agent uninterrupted(whole);
  uninterrupted.converge.Turn(aim, whole_watch);
  ASSERT_EQ(Describe(whole_watch.last()), "CONVERGED");
  const End expected = EndOf(whole, uninterrupted.journal, aim);
  const int calls = static_cast<int>(whole.host.changes().size() - before);
  ASSERT_GT(calls, 50);
  for (int n = 1; n <= calls; ++n) {
    BareNode node;
    const v1::Assignment assignment = start.arrange(node);
    TestWatch watch(node.host);
    node.host.DieAtCall(n, death);
    Agent(node).converge.Turn(assignment, watch);
    ASSERT_TRUE(node.host.dead()) << n;
    node.host.Revive();
    Agent again(node);
    ASSERT_TRUE(again.loaded.ok()) << n << again.loaded;
    again.converge.Turn(assignment, watch);
    const std::string where =
        absl::StrCat("killed in changing call ", n, ": ", Describe(watch.last()));
    ASSERT_EQ(watch.last().state(), v1::Convergence::CONVERGED) << where;
    const End end = EndOf(node, again.journal, assignment);
    EXPECT_EQ(end.told, expected.told) << where;
    EXPECT_EQ(end.installs, expected.installs) << where;
    EXPECT_EQ(end.packages, expected.packages) << where;
    EXPECT_EQ(end.files, expected.files) << where;
    EXPECT_EQ(node.host.ReadUnit(kUnit)->active_state(), "inactive") << where;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, KilledTest,
    testing::Combine(testing::Values(Start{"Bare", Bare}, Start{"Other", Other}),
                     testing::Values(FakeHost::Death::kBefore, FakeHost::Death::kHalfway)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) +
             (std::get<1>(info.param) == FakeHost::Death::kBefore ? "Before" : "Halfway");
    });

}  // namespace
}  // namespace connect_ha
