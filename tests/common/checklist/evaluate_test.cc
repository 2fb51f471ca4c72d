// What holds for every rule, over every fixture: leaving facts out never makes things look
// better, the order of nodes does not matter, and no secret or its whole digest is shown.
#include <google/protobuf/arena.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/checklist/view/facts_view.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

using Outcomes = std::map<std::string, v1::Outcome>;

Outcomes OutcomesOf(const v1::Snapshot& cluster) {
  const v1::Checklist checklist = Evaluate(cluster);
  Outcomes outcomes;
  for (const v1::Finding& finding : checklist.findings()) {
    outcomes[finding.rule()] = finding.outcome();
  }
  return outcomes;
}

// What is to be typed, and what is to be known.
std::vector<std::string> LinesOf(const v1::Finding& finding) {
  std::vector<std::string> lines;
  for (const v1::Fix& fix : finding.fixes()) {
    lines.insert(lines.end(), fix.commands().begin(), fix.commands().end());
    if (!fix.note().empty()) lines.push_back(fix.note());
  }
  return lines;
}

bool LooksGood(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

// Every path that an agent could not observe: each noun, and each of its fields that may be
// absent or is a list or a message.
std::vector<std::string> Paths() {
  std::vector<std::string> paths;
  const auto* facts = v1::Facts::descriptor();
  for (int i = 0; i < facts->field_count(); ++i) {
    const auto* noun = facts->field(i);
    if (noun->is_repeated()) continue;
    paths.push_back(noun->name());
    for (int j = 0; j < noun->message_type()->field_count(); ++j) {
      const auto* field = noun->message_type()->field(j);
      if (field->is_repeated() || field->message_type() != nullptr ||
          field->containing_oneof() != nullptr) {
        paths.push_back(absl::StrCat(noun->name(), ".", field->name()));
      }
    }
  }
  for (const char* field : {"package", "integrity", "build_digest", "smoke", "version"}) {
    paths.push_back(absl::StrCat("runtimes.runtimes.", field));
  }
  for (const char* field : {"unit", "efs_tls", "efs_access_point", "efs_iam", "read_ahead_kb"}) {
    paths.push_back(absl::StrCat("storage.mounts.", field));
  }
  return paths;
}

TEST(WhyUnobserved, KnowsEveryNounOfTheFacts) {
  const std::set<std::string> may_be_absent = {
      "instance", "encryption_key", "database", "instrumentation_database",
      "beacons",  "presence",       "guard"};
  const auto* nouns = v1::Facts::descriptor();
  for (int i = 0; i < nouns->field_count(); ++i) {
    const auto* noun = nouns->field(i);
    if (noun->is_repeated()) continue;
    v1::Facts facts;
    EXPECT_EQ(WhyUnobserved(facts, noun->name()).has_value(),
              may_be_absent.count(noun->name()) == 0)
        << noun->name();
    facts.GetReflection()->MutableMessage(&facts, noun);
    EXPECT_FALSE(WhyUnobserved(facts, noun->name()).has_value()) << noun->name();
  }
}

TEST(Rules, NeverLookBetterForAFactThatIsMissing) {
  const std::vector<std::string> paths = Paths();
  for (const ClusterFile& file : ClusterFiles()) {
    const auto judge = FindRule(file.rule)->judge;
    v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    const v1::Outcome before = judge(cluster).outcome();
    if (LooksGood(before)) continue;
    for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
      const v1::Facts facts = node.facts();
      // node-2 is the one that differs in most fixtures; of the others only whole nouns.
      const bool every_path = node.name() == "node-2";
      for (const std::string& path : paths) {
        if (!every_path && absl::StrContains(path, ".")) continue;
        MakeUnobserved(*node.mutable_facts(), path, "taken out");
        const v1::Outcome after = judge(cluster).outcome();
        EXPECT_FALSE(LooksGood(after))
            << file.Path("") << " without " << node.name() << " " << path << ": "
            << v1::Outcome_Name(before) << " became " << v1::Outcome_Name(after);
        *node.mutable_facts() = facts;
      }
    }
  }
}

// What follows another where that one fails is judged where that is no longer known.
bool IsJudgedAgain(const std::string& rule, const Outcomes& before, const Outcomes& after) {
  const std::vector<Need>& needs = FindRule(rule)->needs;
  return before.at(rule) == v1::FOLLOWS &&
         std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
           return need.unless_it_fails && before.at(need.rule) == v1::FAIL &&
                  after.at(need.rule) == v1::UNKNOWN;
         });
}

TEST(Evaluate, NeverLooksBetterForManyFactsThatAreMissing) {
  constexpr int kRounds = 300;
  const std::vector<std::string> paths = Paths();
  const std::vector<ClusterFile> files = ClusterFiles();
  std::mt19937 random(20240801);
  for (int round = 0; round < kRounds; ++round) {
    const ClusterFile& file = files[random() % files.size()];
    v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    const Outcomes before = OutcomesOf(cluster);
    for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
      for (unsigned n = random() % 6; n > 0 && node.has_facts(); --n) {
        MakeUnobserved(*node.mutable_facts(), paths[random() % paths.size()], "taken out");
      }
    }
    const Outcomes after = OutcomesOf(cluster);
    // Names of one machine are judged again, each, when it is no longer known that they are that.
    const bool taken_apart =
        before.at("nodes-are-distinct") == v1::FAIL && after.at("nodes-are-distinct") != v1::FAIL;
    for (const auto& [rule, outcome] : after) {
      if (LooksGood(before.at(rule))) continue;
      if (taken_apart && before.at(rule) == v1::FOLLOWS) continue;
      if (IsJudgedAgain(rule, before, after)) continue;
      EXPECT_FALSE(LooksGood(outcome)) << rule << " in " << file.Path("") << ", round " << round;
    }
  }
}

// Leaving a node out of a cluster of two leaves nothing to compare with.
TEST(Evaluate, NeverPassesWhenOneOfTwoNodesIsNotHeard) {
  for (const char* name : {"node-1", "node-2"}) {
    v1::Snapshot cluster = BaseCluster();
    for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
      if (node.name() == name) node.mutable_last_seen()->set_seconds(1);
    }
    for (const auto& [rule, outcome] : OutcomesOf(cluster)) {
      if (rule == "storage-is-encrypted-in-transit") continue;  // not asked for: no fact needed
      EXPECT_FALSE(LooksGood(outcome)) << rule << " without " << name;
    }
  }
}

TEST(Evaluate, TakesNodesInAnyOrder) {
  for (const ClusterFile& file : ClusterFiles()) {
    const v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    v1::Snapshot reversed = cluster;
    std::reverse(reversed.mutable_nodes()->pointer_begin(),
                 reversed.mutable_nodes()->pointer_end());
    EXPECT_EQ(ToText(Evaluate(reversed)), ToText(Evaluate(cluster))) << file.Path("");
  }
}

TEST(Evaluate, GivesEveryFindingItsWords) {
  for (const ClusterFile& file : ClusterFiles()) {
    const v1::Checklist checklist = Evaluate(LoadCluster(file.Path(".textproto")));
    ASSERT_EQ(static_cast<size_t>(checklist.findings_size()), Rules().size());
    for (const v1::Finding& finding : checklist.findings()) {
      EXPECT_NE(finding.summary(), "") << finding.rule() << " in " << file.Path("");
      EXPECT_NE(finding.outcome(), v1::OUTCOME_UNSPECIFIED) << finding.rule();
    }
  }
}

// Nothing is left for the reader to fill in that is known.
TEST(Evaluate, GivesFixesThatCanBeTyped) {
  const std::regex placeholder(
      "(^|[^A-Za-z_])(NODE|UID|GID|NAME|OLD_[A-Z]+|VERSION)($|[^A-Za-z_])");
  for (const ClusterFile& file : ClusterFiles()) {
    const v1::Checklist checklist = Evaluate(LoadCluster(file.Path(".textproto")));
    for (const v1::Finding& finding : checklist.findings()) {
      for (const std::string& line : LinesOf(finding)) {
        EXPECT_FALSE(std::regex_search(line, placeholder))
            << finding.rule() << " in " << file.Path("") << ": " << line;
        // There is nothing to mount at the root.
        EXPECT_FALSE(absl::StrContains(line, "systemctl start -.mount"))
            << finding.rule() << " in " << file.Path("") << ": " << line;
      }
    }
  }
}

TEST(Evaluate, ShowsNoDigestInFull) {
  constexpr size_t kShown = 16;
  for (const ClusterFile& file : ClusterFiles()) {
    const v1::Snapshot cluster = LoadCluster(file.Path(".textproto"));
    std::set<std::string> digests;
    for (const v1::NodeSnapshot& node : cluster.nodes()) {
      digests.insert(node.facts().encryption_key().fingerprint().substr(0, kShown));
      for (const v1::ConfigKey& key : node.facts().configuration().keys()) {
        digests.insert(key.secret_digest().substr(0, kShown));
      }
    }
    digests.erase("");
    const std::string text = ToText(Evaluate(cluster));
    for (const std::string& digest : digests) {
      EXPECT_FALSE(absl::StrContains(text, digest)) << file.Path("");
    }
  }
}

// Of many nodes that all run another version, each would name all others: ten thousand would have a
// hundred million steps.
TEST(Evaluate, OfManyNodesThatFailAlikeNoneNamesAllOthers) {
  constexpr int kNodes = 300;
  v1::Snapshot cluster = BaseCluster();
  const v1::NodeSnapshot healthy = cluster.nodes(0);
  cluster.clear_nodes();
  for (int i = 0; i < kNodes; ++i) {
    v1::NodeSnapshot& node = *cluster.add_nodes() = healthy;
    node.set_name(absl::StrCat("node-", i));
    node.mutable_claimants(0)->set_boot_id(node.name());
    node.mutable_facts()->mutable_host()->set_boot_id(node.name());
    v1::ConnectFacts& connect = *node.mutable_facts()->mutable_connect();
    connect.mutable_package()->set_version("2023.01.0");
    connect.set_running_version("2023.01.0");
  }
  const v1::Checklist checklist = Evaluate(cluster);
  const auto finding =
      std::find_if(checklist.findings().begin(), checklist.findings().end(),
                   [](const v1::Finding& one) { return one.rule() == "connect-version-matches"; });
  ASSERT_TRUE(finding != checklist.findings().end());
  EXPECT_EQ(finding->outcome(), v1::FAIL);
  EXPECT_EQ(finding->evidence_size(), kNodes);
  EXPECT_EQ(finding->fixes_size(), kNodes + 1);  // install on each; and once, to stop all
}

TEST(Evaluate, InPlaceGivesTheNodesBack) {
  google::protobuf::Arena arena;
  auto* cluster = google::protobuf::Arena::CreateMessage<v1::Snapshot>(&arena);
  *cluster = BaseCluster();
  const v1::Checklist checklist = EvaluateInPlace(*cluster);
  EXPECT_EQ(ToText(checklist), ToText(Evaluate(BaseCluster())));
  ASSERT_EQ(cluster->nodes_size(), 2);
  EXPECT_EQ(cluster->nodes(1).name(), "node-2");
}

TEST(Evaluate, KnowsNothingOfAClusterWithoutNodes) {
  for (const auto& [rule, outcome] : OutcomesOf(v1::Snapshot())) {
    EXPECT_EQ(outcome, v1::UNKNOWN) << rule;
  }
}

// What node-2 of a fixture shows alone.
v1::Finding OnOneNode(const std::string& fixture) {
  v1::Snapshot cluster = LoadCluster(absl::StrCat(ClustersDirectory(), "/", fixture, ".textproto"));
  v1::NodeSnapshot alone = *cluster.nodes().rbegin();
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (node.name() == "node-2") alone = node;
  }
  alone.set_name("node-2");
  cluster.clear_nodes();
  *cluster.add_nodes() = alone;
  const std::string rule = fixture.substr(0, fixture.find('/'));
  const v1::Checklist checklist = EvaluateNode(std::move(cluster), true);
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.rule() == rule) return finding;
  }
  return {};
}

TEST(EvaluateNode, JudgesWhatOneNodeAloneShows) {
  v1::Snapshot cluster = BaseCluster();
  cluster.clear_spec();
  cluster.mutable_nodes()->RemoveLast();
  cluster.mutable_nodes(0)->clear_clock();
  const v1::Checklist checklist = EvaluateNode(cluster, true);
  std::set<std::string> not_passed;
  for (const v1::Finding& finding : checklist.findings()) {
    EXPECT_NE(FindRule(finding.rule())->on_one_node, nullptr);
    if (finding.outcome() != v1::PASS) not_passed.insert(finding.rule());
  }
  EXPECT_EQ(not_passed,
            std::set<std::string>({"database-dir-is-shared", "landing-dir-is-shared",
                                   "storage-has-room", "storage-is-encrypted-in-transit"}));
}

// What a check in full would find out is not looked for in what was read.
TEST(EvaluateNode, ProposesACheckInFullForWhatOnlyThatKnows) {
  v1::Snapshot cluster = BaseCluster();
  cluster.mutable_nodes()->RemoveLast();
  v1::Facts& facts = *cluster.mutable_nodes(0)->mutable_facts();
  for (v1::Runtime& runtime : *facts.mutable_runtimes()->mutable_runtimes()) runtime.clear_smoke();
  MakeUnobserved(facts, "disk", "permission denied");
  const auto proposed = [&](const std::string& rule, bool full) {
    const v1::Checklist checklist = EvaluateNode(cluster, full);
    for (const v1::Finding& finding : checklist.findings()) {
      if (finding.rule() == rule && finding.fixes_size() == 1) return finding.fixes(0).commands(0);
    }
    return std::string("nothing");
  };
  EXPECT_EQ(proposed("runtimes-match-r", false), kCheckInFull);
  EXPECT_EQ(proposed("runtimes-match-r", true), "connect-ha-agent facts --full");
  EXPECT_EQ(proposed("disk-has-room", false), "connect-ha-agent facts");
  EXPECT_EQ(proposed("disk-has-room", true), "connect-ha-agent facts --full");
}

TEST(EvaluateNode, FailsWhatOneNodeShowsOfARuleThatComparesNodes) {
  for (const char* fixture :
       {"accounts-match/fail", "data-dir-is-shared/fail-local", "storage-is-mounted/fail",
        "encryption-key-matches/fail-mode", "encryption-key-matches/fail-twice",
        "landing-dir-is-shared/fail-local", "metrics-path-is-unique/fail-default",
        "platform-matches/fail-unsupported"}) {
    const v1::Finding alone = OnOneNode(fixture);
    EXPECT_EQ(v1::Outcome_Name(alone.outcome()), "FAIL") << fixture;
    EXPECT_GT(alone.fixes_size(), 0) << fixture;
  }
}

TEST(EvaluateNode, SaysNothingOfOtherNodes) {
  for (const ClusterFile& file : ClusterFiles()) {
    if (FindRule(file.rule)->on_one_node == nullptr) continue;
    const v1::Finding alone = OnOneNode(file.rule + "/" + file.name);
    const std::string text = alone.outcome() == v1::PASS ? ToText(alone) : alone.title();
    for (const char* words : {"elsewhere", "very node", "all nodes", "the same", "is no other",
                              "this node's own (", "is this node's own\"", "node-1", "one uid"}) {
      EXPECT_FALSE(absl::StrContains(text, words)) << file.Path("") << "\n" << text;
    }
    for (const std::string& line : LinesOf(alone)) {
      EXPECT_FALSE(absl::StrContains(line, "connect-ha checklist")) << line;
    }
  }
}

}  // namespace
}  // namespace connect_ha::test
