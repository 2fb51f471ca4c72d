// What golden files cannot show of apply: questions, redrawing, a coordinator that goes away.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/spec/signed_spec.h"
#include "common/spec/spec_bundle.h"
#include "coordinator/cli/text/convergence_text.h"
#include "coordinator/cli/text/line_diff.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/apply_fixture.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(Apply, APreviewChangesNothingAndAsksNobody) {
  EXPECT_EQ(world_.Run({"preview", path_}), kFails);
  EXPECT_EQ(world_.out, "node-1: 1 change\n  package rstudio-connect  ->\n");
  EXPECT_EQ(world_.error, "preview: 1 of 1 node answered\n");
  EXPECT_THAT(world_.coordinator.changes, ElementsAre("preview analytics"));
}

TEST_F(Apply, APreviewThatIsNotKnownOfAllDoesNotHold) {
  v1::GetPreviewsResponse& previews = world_.coordinator.previews[0];
  previews.mutable_nodes(0)->mutable_preview()->Clear();
  EXPECT_EQ(world_.Run({"preview", path_}), kHolds);
  previews.add_nodes()->set_unreachable(true);
  EXPECT_EQ(world_.Run({"preview", path_}), kUnknown);
  previews.clear_nodes();
  EXPECT_EQ(world_.Run({"preview", path_}), kUnknown);
}

TEST_F(Apply, DoesNothingWithoutAYes) {
  for (const char* answer : {"", "\n", "no\n", "later\n"}) {
    world_.input = answer;
    world_.coordinator.changes.clear();
    EXPECT_EQ(world_.Run({"apply", path_}), kFails);
    EXPECT_THAT(world_.error, HasSubstr("Apply it and change 1 node? [y/N] "));
    EXPECT_THAT(world_.error, HasSubstr("nothing was changed"));
    EXPECT_THAT(world_.coordinator.changes, ElementsAre("preview analytics"));
  }
}

TEST_F(Apply, AYesAppliesWhatWasShown) {
  world_.input = "y\n";
  EXPECT_EQ(world_.Run({"apply", path_}), kHolds);
  EXPECT_EQ(world_.out,
            "node-1: 1 change\n  package rstudio-connect  ->\ngeneration 1 is in force\n");
  EXPECT_THAT(world_.coordinator.changes,
              ElementsAre("preview analytics", "apply analytics after 0"));
}

TEST_F(Apply, TheQuestionCountsTheNodesOfWhichNothingIsKnown) {
  world_.coordinator.previews[0].add_nodes()->set_unreachable(true);
  world_.input = "n\n";
  world_.Run({"apply", path_});
  EXPECT_THAT(world_.error,
              HasSubstr("Apply it and change 1 node (1 node did not answer)? [y/N] "));
}

TEST_F(Apply, ANodeThatDoesNotAnswerIsNotAwaitedForEver) {
  world_.coordinator.previews[0].mutable_nodes(0)->clear_preview();
  world_.waits = 1000;
  world_.input = "n\n";
  const Time before = world_.now;
  EXPECT_EQ(world_.Run({"apply", path_}), kFails);
  EXPECT_EQ(world_.now - before, std::chrono::seconds(60));
  EXPECT_EQ(world_.out, "node-1: not known: no answer in time\n");
}

TEST_F(Apply, AWrongTimeoutIsNoticedBeforeAnythingIsApplied) {
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait", "--timeout", "soon"}), kUsage);
  EXPECT_TRUE(world_.coordinator.changes.empty());
}

TEST_F(Apply, RedrawsALineForEachNodeOnATerminal) {
  world_.interactive = true;
  world_.width = 40;
  world_.coordinator.snapshots = {Snapshot(v1::Convergence::CHANGING),
                                  Snapshot(v1::Convergence::CONVERGED)};
  v1::Step& step =
      *world_.coordinator.snapshots[0].mutable_nodes(0)->mutable_convergence()->mutable_step();
  step.set_resource("package r-4.3.3-with-a-long-name\x1b[2J");
  step.set_phase(v1::Step::INSTALLING);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("\nnode-1  installing package r-4.3.3-wit~\n0s\n"
                                    "\x1b[2A\x1b[J"
                                    "node-1  as generation 1 says\n1s\n"
                                    "1 of 1 node as generation 1 says, after 1s\n"));
  EXPECT_THAT(world_.out, Not(HasSubstr("\x1b[2J")));
}

TEST_F(Apply, SpeaksOfAStepThatLastsOffATerminal) {
  const Time begun = world_.now;
  world_.waits = 200;
  world_.coordinator.snapshots = {Snapshot(v1::Convergence::CHANGING)};
  v1::Snapshot& snapshot = world_.coordinator.snapshots[0];
  v1::Step& step = *snapshot.mutable_nodes(0)->mutable_convergence()->mutable_step();
  step.set_resource("package r-4.3.3");
  step.set_phase(v1::Step::DOWNLOADING);
  *step.mutable_started_at() = ToProto(begun);
  world_.on_wait = [&] {
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(world_.now - begun);
    *snapshot.mutable_taken_at() = ToProto(world_.now);
    *snapshot.mutable_nodes(0)->mutable_last_seen() = ToProto(world_.now);
    step.set_done_bytes(static_cast<uint64_t>(elapsed.count()) * 500'000);
    step.set_total_bytes(elapsed.count() < 50 ? 0 : 100'000'000);
    if (elapsed.count() == 70) step.set_phase(v1::Step::INSTALLING);
    if (elapsed.count() == 110) {
      snapshot.mutable_nodes(0)->mutable_convergence()->set_state(v1::Convergence::WAITING);
    }
    if (elapsed.count() == 180) {
      snapshot.mutable_nodes(0)->mutable_convergence()->set_state(v1::Convergence::CONVERGED);
    }
  };
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("is in force\n"
                                    "[0s] node-1: downloading package r-4.3.3\n"
                                    "[30s] node-1: downloading package r-4.3.3 15.0 MB, 30s\n"
                                    "[1m] node-1: downloading package r-4.3.3 [###-------] 30 % of "
                                    "100.0 MB, 1m\n"
                                    "[1m 10s] node-1: installing package r-4.3.3\n"
                                    "[1m 40s] node-1: installing package r-4.3.3, 1m 40s\n"
                                    "[1m 50s] node-1: waits:\n"
                                    "[3m] node-1: as generation 1 says\n"));
}

TEST_F(Apply, ACoordinatorThatGoesAwayIsAwaited) {
  world_.coordinator.snapshots = {Snapshot(v1::Convergence::CHANGING),
                                  Snapshot(v1::Convergence::CONVERGED)};
  int waited = 0;
  world_.on_wait = [&] {
    ++waited;
    world_.coordinator.error = waited < 4 ? absl::UnavailableError("no answer") : absl::OkStatus();
  };
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kHolds);
  EXPECT_THAT(world_.error, HasSubstr("error: no answer\nthe coordinator answers again\n"));
}

TEST_F(Apply, ANewerGenerationEndsTheFollowing) {
  v1::Snapshot newer = Snapshot(v1::Convergence::CHANGING);
  newer.set_generation(2);
  world_.coordinator.snapshots = {Snapshot(v1::Convergence::CHANGING), newer};
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kFails);
  EXPECT_THAT(world_.error, HasSubstr("generation 2 came after 1"));
}

TEST_F(Apply, ACoordinatorThatPutNothingIntoForceIsNotBelieved) {
  world_.coordinator.applied_generation = 0;
  world_.width = 400;
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kUnknown);
  EXPECT_THAT(world_.out, Not(HasSubstr("is in force")));
  EXPECT_THAT(world_.error, HasSubstr("nothing new is in force\nfix:   connect-ha spec history"));
}

// What is signed is for nodes that do not take a coordinator's word.
class SignedApply : public Apply {
 protected:
  SignedApply() : key_(dir_ + "/signing.key") {
    EXPECT_EQ(world_.Run({"key", "create", key_}), kHolds) << world_.error;
    public_line_ = world_.out;
    world_.width = 400;
    v1::Snapshot snapshot = Snapshot(v1::Convergence::CONVERGED);
    snapshot.mutable_nodes(0)->set_reported_generation(4);
    v1::NodeSnapshot& absurd = *snapshot.add_nodes();
    absurd.set_name("node-2");
    absurd.set_reported_generation(1ull << 63);
    world_.coordinator.snapshots = {snapshot};
  }
  v1::SpecToSign Signed() {
    const v1::SignedSpec& is_signed = world_.coordinator.applied.bundle().signed_spec();
    EXPECT_EQ(PublicKeyLine(is_signed.public_key()), public_line_);
    const auto opened = OpenSignedSpec(is_signed);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *opened : v1::SpecToSign();
  }
  // An older generation whose text says something else than what is beside it.
  void AddGeneration(const std::string& source) {
    v1::SpecGeneration spec;
    spec.set_generation(1);
    spec.mutable_bundle()->mutable_spec()->set_cluster("analytics");
    spec.mutable_bundle()->mutable_spec()->set_enforcement(v1::ENFORCE);
    spec.mutable_bundle()->set_source(source);
    world_.coordinator.specs = {spec, spec};
    world_.coordinator.specs[1].set_generation(2);
    world_.coordinator.specs[1].mutable_bundle()->set_source("cluster: analytics\n");
  }

  const std::string key_;
  std::string public_line_;
};

TEST_F(SignedApply, SignsTheFilesAsTheNextGenerationAboveWhatNodesHold) {
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", key_}), kHolds) << world_.error;
  const v1::SpecToSign is_signed = Signed();
  EXPECT_EQ(is_signed.cluster(), "analytics");
  EXPECT_EQ(is_signed.generation(), 5u);
  EXPECT_EQ(is_signed.spec().enforcement(), v1::ENFORCE);
  EXPECT_THAT(world_.out, HasSubstr("generation 5 is in force"));
}

TEST_F(SignedApply, WhatIsInForceUnsignedIsAppliedSigned) {
  AddGeneration("");
  world_.coordinator.specs[1].mutable_bundle()->set_source(kSpec);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds) << world_.error;
  EXPECT_THAT(world_.out, HasSubstr("nothing to apply"));
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", key_}), kHolds) << world_.error;
  EXPECT_EQ(Signed().generation(), 5u);
}

TEST_F(SignedApply, ACoordinatorThatNumbersItOtherwiseIsNotBelieved) {
  world_.coordinator.applied_generation = 6;
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", key_}), kUnknown);
  EXPECT_THAT(world_.error, HasSubstr("which is not what was signed"));
}

TEST_F(SignedApply, AKeyThatOthersCanReadIsNotUsed) {
  std::filesystem::permissions(key_, std::filesystem::perms(0640));
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", key_}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("can be read by others\nfix:   chmod 0600 "));
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", dir_ + "/none"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("fix:   connect-ha key create "));
  EXPECT_THAT(world_.coordinator.changes, ElementsAre());
}

TEST_F(SignedApply, AKeyIsNeverReplaced) {
  EXPECT_EQ(std::filesystem::status(key_).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(world_.Run({"key", "create", key_}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("a key is never replaced"));
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--sign", key_}), kHolds) << world_.error;
  Signed();
}

TEST_F(SignedApply, ARollbackSignsWhatItsTextSaysAndShowsIt) {
  AddGeneration("cluster: analytics\nenforcement: observe  # \x1b[2K\n");
  world_.input = "y\n";
  EXPECT_EQ(world_.Run({"spec", "rollback", "1", "--sign", key_}), kHolds) << world_.error;
  EXPECT_EQ(Signed().spec().enforcement(), v1::OBSERVE);
  EXPECT_EQ(world_.coordinator.applied.bundle().spec().enforcement(), v1::OBSERVE);
  EXPECT_THAT(world_.out, HasSubstr("This is what would be signed:\ncluster.yaml:\n"));
  EXPECT_THAT(world_.out, HasSubstr("  enforcement: observe"));
  EXPECT_THAT(world_.out, Not(HasSubstr("\x1b[2K")));
}

TEST_F(SignedApply, NothingIsSignedThatNobodyLookedAtOrThatIsInvalid) {
  AddGeneration("cluster: analytics\n");
  EXPECT_EQ(world_.Run({"spec", "rollback", "1", "--yes", "--sign", key_}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("what is signed has to be looked at"));
  AddGeneration("cluster: analytics\nenforcement: perhaps\n");
  EXPECT_EQ(world_.Run({"spec", "rollback", "1", "--sign", key_}), kUsage);
  EXPECT_THAT(world_.coordinator.changes, ElementsAre());
}

TEST_F(Apply, ANodeThatRefusesEndsTheFollowingAndSaysWhy) {
  v1::Snapshot snapshot = Snapshot(v1::Convergence::STUCK);
  v1::NodeSnapshot& node = *snapshot.mutable_nodes(0);
  node.set_reported_generation(0);
  v1::Trouble& trouble = *node.mutable_convergence()->add_troubles();
  trouble.set_resource("specification");
  trouble.set_error("it is not signed, and this node takes only what is");
  trouble.set_fix("connect-ha apply --sign KEY");
  world_.coordinator.snapshots = {snapshot};
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kFails);
  EXPECT_THAT(world_.out, HasSubstr("node-1: REFUSES generation 1\n"));
  EXPECT_THAT(world_.out, HasSubstr("it is not signed"));
}

// The plan says so: look at the nodes, then connect-ha apply.
TEST_F(Apply, WhereTheStoreIsAnOlderCopyTheSameIsAppliedAgain) {
  world_.coordinator.specs.resize(1);
  v1::SpecGeneration& spec = world_.coordinator.specs[0];
  spec.set_generation(1);
  ASSERT_TRUE(LoadSpecBundle(path_, *spec.mutable_bundle()).empty());
  world_.coordinator.snapshots = {Snapshot(v1::Convergence::CONVERGED)};
  v1::PlanMemory& memory = *world_.coordinator.plan.mutable_decision()->mutable_remember();
  memory.mutable_restored_at()->set_seconds(1'700'000'000);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 2 is in force\n"));
}

// Nodes are to stop for it together, which takes a generation.
TEST_F(Apply, WhatASecretFillsInAnewIsAppliedOnceMore) {
  world_.coordinator.specs.resize(1);
  v1::SpecGeneration& spec = world_.coordinator.specs[0];
  spec.set_generation(1);
  ASSERT_TRUE(LoadSpecBundle(path_, *spec.mutable_bundle()).empty());
  v1::Snapshot snapshot = Snapshot(v1::Convergence::CONVERGED);
  snapshot.mutable_nodes(0)->mutable_convergence()->add_changes()->set_filled_in_anew(true);
  world_.coordinator.snapshots = {snapshot};
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, Not(HasSubstr("nothing to apply")));
  EXPECT_THAT(world_.out, HasSubstr("generation 2"));
}

// One node's word makes no generation, and nobody waits for it.
TEST_F(Apply, ANodeThatIsOddIsNamedAndNotWaitedFor) {
  world_.coordinator.specs.resize(1);
  v1::SpecGeneration& spec = world_.coordinator.specs[0];
  spec.set_generation(1);
  ASSERT_TRUE(LoadSpecBundle(path_, *spec.mutable_bundle()).empty());
  v1::Snapshot snapshot = Snapshot(v1::Convergence::CONVERGED);
  v1::NodeSnapshot& odd = *snapshot.add_nodes();
  odd = snapshot.nodes(0);
  odd.set_name("node-2");
  odd.set_reported_generation(~uint64_t{0});
  odd.set_odd(true);
  world_.coordinator.snapshots = {snapshot};
  world_.width = 400;
  EXPECT_EQ(world_.Run({"apply", path_}), kHolds);
  EXPECT_EQ(world_.out, "nothing to apply: generation 1 already says this\n");
  const Time begun = world_.now;
  EXPECT_EQ(world_.Run({"apply", path_, "--wait"}), kFails);
  EXPECT_EQ(world_.now, begun);
  EXPECT_THAT(world_.out, HasSubstr("node-2: says that it goes by what nobody gave it: look at who "
                                    "has access to it, then connect-ha node remove node-2\n"));
  EXPECT_THAT(world_.out, HasSubstr("1 of 2 nodes as generation 1 says"));
}

TEST_F(ApplyAndServe, WaitsUntilTheNodeServes) {
  v1::Snapshot ready = Told(v1::READY, v1::PREPARING);
  ready.mutable_nodes(0)->set_waits_for("its agent to get there");
  world_.coordinator.snapshots = {ready, Told(v1::SERVING, v1::READY),
                                  Told(v1::SERVING, v1::SERVING)};
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_THAT(world_.out,
              HasSubstr("[0s] node-1: as generation 1 says; preparing -> ready; waits for: its "
                        "agent to get there\n"
                        "[1s] node-1: as generation 1 says; ready -> serving\n"
                        "[2s] node-1: as generation 1 says; serving\n"
                        "1 of 1 node as generation 1 says, after 2s\n"));
}

// A first start may take minutes, and nobody is sent there meanwhile.
TEST_F(ApplyAndServe, WaitsUntilConnectAnswers) {
  v1::Snapshot silent = Told(v1::SERVING, v1::SERVING);
  silent.mutable_nodes(0)->set_waits_for("Connect to answer");
  world_.coordinator.snapshots = {silent, Told(v1::SERVING, v1::SERVING)};
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(1));
}

// The nodes need a moment to find a coordinator that was started again; only then it hears them.
TEST_F(ApplyAndServe, WaitsForNodesThatTheNextCoordinatorHasNotHeardYet) {
  Follow(Told(v1::SERVING, v1::READY, v1::Convergence::CHANGING), 100);
  const auto heard = world_.on_wait;
  world_.on_wait = [this, heard] {
    heard();
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(Took()).count();
    v1::NodeSnapshot& node = *world_.coordinator.snapshots[0].mutable_nodes(0);
    if (second >= 60 && second < 80) node.clear_last_seen();
    if (second == 90) world_.coordinator.snapshots[0] = Told(v1::SERVING, v1::SERVING);
  };
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(90));
}

TEST_F(ApplyAndServe, WaitsForNobodyWhoIsNotHeardForLong) {
  Follow(Told(v1::SERVING, v1::READY, v1::Convergence::CHANGING), 200);
  const auto heard = world_.on_wait;
  world_.on_wait = [this, heard] {
    heard();
    v1::NodeSnapshot& node = *world_.coordinator.snapshots[0].mutable_nodes(0);
    if (Took() >= std::chrono::seconds(60)) node.clear_last_seen();
  };
  EXPECT_EQ(ApplyAndWait(), kUnknown);
  EXPECT_EQ(Took(), std::chrono::seconds(89));
}

TEST_F(ApplyAndServe, WaitsForNoNodeThatAPersonHolds) {
  Follow(Told(v1::READY, v1::READY), 100);
  world_.coordinator.snapshots[0].mutable_nodes(0)->set_waits_for("cordoned by admin/alice: a");
  v1::Word& word = *world_.coordinator.plan.add_words();
  word.set_kind(v1::Word::CORDON);
  word.set_node("node-1");
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(0));
}

TEST_F(ApplyAndServe, WaitsForNoNodeThatMayGoNoFurther) {
  Follow(Told(v1::READY, v1::READY), 100);
  world_.coordinator.snapshots[0].mutable_nodes(0)->set_waits_for("allow: serve");
  world_.coordinator.snapshots[0].mutable_nodes(0)->set_allow(v1::ALLOW_INSTALL);
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(0));
}

TEST_F(ApplyAndServe, ANodeWhereConnectDoesNotStartEndsIt) {
  Follow(Told(v1::STOPPED, v1::STOPPED), 100);
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_EQ(Took(), std::chrono::seconds(0));
}

TEST_F(ApplyAndServe, AFencedNodeHasItsTimeToComeBack) {
  Follow(Told(v1::FENCED, v1::FENCED), 1000);
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_EQ(Took(), std::chrono::minutes(3));
}

TEST_F(ApplyAndServe, ANodeThatIsLeftAsItIsHasItsTimeToBeToldSomethingElse) {
  Follow(Told(v1::OBSERVED, v1::OBSERVED, v1::Convergence::DIFFERS), 1000);
  world_.coordinator.snapshots[0].mutable_nodes(0)->set_waits_for("package rstudio-connect");
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_EQ(Took(), std::chrono::seconds(30));
  EXPECT_THAT(world_.out, HasSubstr("0 changes pending, not made: package rstudio-connect\n"));
}

TEST(LineDiff, ShowsWhatDiffersWithALineAround) {
  EXPECT_EQ(DiffLines("a\nb\nc\nd\ne\n", "a\nb\nc\nD\ne\n"), "...\n  c\n- d\n+ D\n  e\n");
  EXPECT_EQ(DiffLines("a\n", "a\n"), "");
  EXPECT_EQ(DiffLines("", "a\nb\n"), "+ a\n+ b\n");
  EXPECT_EQ(DiffLines("a\nb\n", ""), "- a\n- b\n");
  EXPECT_EQ(DiffLines("a\n", "a"), "the last line ends in one and not in the other\n");
}

TEST(FormatBytes, IsShort) {
  EXPECT_EQ(FormatBytes(0), "0.0 kB");
  EXPECT_EQ(FormatBytes(27'100'000), "27.1 MB");
  EXPECT_EQ(FormatBytes(4'294'967'296), "4.3 GB");
}

}  // namespace
}  // namespace connect_ha
