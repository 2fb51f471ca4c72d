// What the roster tells a node to be, and what it keeps of what the node says it made of it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/sqlite_store.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::Desired Desired(uint64_t generation, v1::Enforcement enforcement = v1::ENFORCE) {
  v1::Desired desired;
  desired.set_generation(generation);
  desired.mutable_spec()->set_enforcement(enforcement);
  desired.set_license("licence");
  return desired;
}

v1::HeartbeatRequest Beat(v1::NodeState reported, uint64_t generation,
                          const std::string& machine = "machine") {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id(machine);
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  request.mutable_facts()->mutable_connect();  // no Connect there
  request.set_reported_state(reported);
  request.set_reported_generation(generation);
  return request;
}

v1::HeartbeatRequest Beat(v1::NodeState reported, uint64_t generation,
                          v1::Convergence::State state) {
  v1::HeartbeatRequest request = Beat(reported, generation);
  request.mutable_convergence()->set_state(state);
  request.mutable_convergence()->set_generation(generation);
  return request;
}

class RosterAssignTest : public testing::Test {
 protected:
  RosterAssignTest() {
    std::string dir = testing::TempDir() + "roster_assign_XXXXXX";
    dir_ = mkdtemp(dir.data());
    Start();
    v1::NodeRecord record;
    record.set_name("a");
    EXPECT_TRUE(store_->PutNode(record).ok());
    roster_->Enrolled(record);
  }
  ~RosterAssignTest() override {
    roster_.reset();
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Start() {
    roster_.reset();
    store_.reset();
    store_ = *SqliteStore::Open(dir_ + "/store.db");
    roster_ = std::make_unique<Roster>(*store_, kNoon);
    ASSERT_TRUE(roster_->Load().ok());
  }
  v1::HeartbeatResponse Hear(const v1::HeartbeatRequest& request, int after_s = 0) {
    const auto response = roster_->Heartbeat(request, "10.0.0.1", kNoon + seconds(after_s));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::HeartbeatResponse();
  }
  std::vector<std::string> Events() {
    std::vector<std::string> texts;
    const auto events = store_->ListEvents({});
    for (const v1::Event& event : *events) {
      texts.push_back(absl::StrCat(v1::Event::Kind_Name(event.kind()), " ", event.text()));
    }
    return texts;
  }

  std::string dir_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Roster> roster_;
};

TEST_F(RosterAssignTest, WithoutASpecificationANodeIsObserved) {
  const auto told = Hear(Beat(v1::OBSERVED, 0));
  EXPECT_EQ(told.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(told.assigned_generation(), 0u);
  EXPECT_FALSE(told.has_desired());
}

TEST_F(RosterAssignTest, ANodeIsToldTheSpecificationUntilItHoldsIt) {
  roster_->SetSpec(Desired(3));
  const auto first = Hear(Beat(v1::OBSERVED, 0));
  const auto later = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 1);
  EXPECT_EQ(first.assigned_state(), v1::PREPARING);
  EXPECT_EQ(first.assigned_generation(), 3u);
  EXPECT_EQ(first.desired().license(), "licence");
  EXPECT_EQ(later.assigned_generation(), 3u);
  EXPECT_FALSE(later.has_desired());
  EXPECT_EQ(later.next_heartbeat_ms(), 1000u);
}

TEST_F(RosterAssignTest, ANodeThatHoldsANewerSpecificationKeepsItAndItIsToldOnce) {
  roster_->SetSpec(Desired(3, v1::OBSERVE));
  for (int beat = 0; beat < 2; ++beat) {
    const auto told = Hear(Beat(v1::READY, 5, v1::Convergence::CONVERGED), beat);
    EXPECT_EQ(told.assigned_state(), v1::READY);
    EXPECT_EQ(told.assigned_generation(), 3u);
    EXPECT_FALSE(told.has_desired());
  }
  EXPECT_EQ(roster_->NewestGenerationHeld(1000), 5u);
  EXPECT_EQ(roster_->NewestGenerationHeld(4), 0u);
  EXPECT_TRUE(roster_->TakeSnapshot(kNoon + seconds(1)).nodes(0).ahead());
  roster_->SetSpec(Desired(6));
  EXPECT_EQ(Hear(Beat(v1::READY, 5), 2).desired().generation(), 6u);
  EXPECT_FALSE(roster_->TakeSnapshot(kNoon + seconds(2)).nodes(0).ahead());
  int told = 0;
  for (const std::string& event : Events()) told += absl::StartsWith(event, "NODE_AHEAD ") ? 1 : 0;
  EXPECT_EQ(told, 2);  // that it is, and that it is no longer
}

TEST_F(RosterAssignTest, EachChangeOfStateIsOneEvent) {
  roster_->SetSpec(Desired(3));
  Hear(Beat(v1::OBSERVED, 0));
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::LOOKING), 1);
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 2);
  v1::HeartbeatRequest waiting = Beat(v1::PREPARING, 3, v1::Convergence::WAITING);
  v1::Trouble& trouble = *waiting.mutable_convergence()->add_troubles();
  trouble.set_resource("package r-4.3.3");
  trouble.set_error("no answer");
  for (int retry = 0; retry < 3; ++retry) {
    Hear(waiting, 3 + 2 * retry);
    Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 4 + 2 * retry);
  }
  const auto done = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CONVERGED), 10);
  Hear(Beat(v1::READY, 3, v1::Convergence::CONVERGED), 11);
  EXPECT_EQ(done.assigned_state(), v1::READY);
  EXPECT_EQ(Events(), (std::vector<std::string>{
                          "CONVERGENCE_CHANGED generation 3: changing",
                          "CONVERGENCE_CHANGED generation 3: waiting: package r-4.3.3: no answer",
                          "CONVERGENCE_CHANGED generation 3: converged",
                          "NODE_STATE_CHANGED to be ready, was to be preparing"}));
}

TEST_F(RosterAssignTest, ChangesMadeAreStoredOnceAndAcknowledged) {
  v1::HeartbeatRequest request = Beat(v1::PREPARING, 3);
  for (const uint64_t number : {4, 5}) {
    v1::ChangeMade& made = *request.add_changes_made();
    made.set_number(number);
    made.set_generation(3);
    made.set_duration_us(72'000'000);
    made.set_download_us(number == 4 ? 20'000'000 : 0);
    made.set_verify_us(1'000'000);
    made.mutable_change()->set_resource(absl::StrCat("package ", number));
    made.mutable_change()->set_from("absent");
    made.mutable_change()->set_to("1.0");
  }
  roster_->SetSpec(Desired(3));
  EXPECT_EQ(Hear(request).changes_taken(), 5u);
  EXPECT_EQ(Hear(request, 1).changes_taken(), 5u);
  Start();
  roster_->SetSpec(Desired(3));
  EXPECT_EQ(Hear(request, 2).changes_taken(), 5u);
  EXPECT_EQ(Events(),
            (std::vector<std::string>{
                "RESOURCE_CHANGED package 4: absent -> 1.0 (generation 3, in 1m 12s, of it 20s "
                "download, 1s verification)",
                "RESOURCE_CHANGED package 5: absent -> 1.0 (generation 3, in 1m 12s, of it 1s "
                "verification)"}));
}

TEST_F(RosterAssignTest, AfterARestartANodeIsAskedOnceWhereItStands) {
  roster_->SetSpec(Desired(3));
  Hear(Beat(v1::READY, 3, v1::Convergence::CONVERGED));
  Start();
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest bare = Beat(v1::READY, 3);
  bare.clear_facts();
  const auto asked = Hear(bare, 1);
  const auto not_again = Hear(bare, 2);
  const auto later = Hear(bare, 70);
  EXPECT_TRUE(asked.send_facts());
  EXPECT_EQ(asked.assigned_state(), v1::READY);
  EXPECT_FALSE(not_again.send_facts());
  EXPECT_TRUE(later.send_facts());
}

TEST_F(RosterAssignTest, ASnapshotSaysWhereANodeStandsAndWhatHoldsItBack) {
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest running = Beat(v1::OBSERVED, 3, v1::Convergence::DIFFERS);
  running.mutable_facts()->mutable_connect()->mutable_unit()->set_active_state("active");
  Hear(running);
  const v1::Snapshot snapshot = roster_->TakeSnapshot(kNoon, /*with_facts=*/false);
  EXPECT_EQ(snapshot.generation(), 3u);
  EXPECT_EQ(snapshot.nodes(0).reported_generation(), 3u);
  EXPECT_EQ(snapshot.nodes(0).convergence().state(), v1::Convergence::DIFFERS);
  EXPECT_EQ(snapshot.nodes(0).assigned_state(), v1::OBSERVED);
  EXPECT_EQ(snapshot.nodes(0).assigned_reason(),
            "Connect runs here (active); this version changes nothing under a running Connect");
}

TEST_F(RosterAssignTest, OfTwoMachinesUnderOneNameNeitherIsToldAnythingNew) {
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest clone = Beat(v1::OBSERVED, 0, "another machine");
  clone.set_boot_id("another boot");
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING));
  Hear(clone, 1);
  const auto original = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 2);
  clone.add_changes_made()->set_number(1);
  const auto told = Hear(clone, 3);
  EXPECT_EQ(original.assigned_state(), v1::PREPARING);
  EXPECT_EQ(told.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(told.assigned_generation(), 0u);
  EXPECT_FALSE(told.has_desired());
  EXPECT_EQ(told.changes_taken(), 0u);
}

}  // namespace
}  // namespace connect_ha
