// Whom the roster takes for a node: one that comes with a certificate, one that was removed, and
// another machine under the name.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "common/tls/identity.h"
#include "coordinator/identity/authority.h"
#include "tests/coordinator/service/roster_bounds_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

Certificate CertificateOf(const std::string& node, Time issued) {
  Certificate certificate;
  certificate.identity = {"test", Role::kNode, node};
  certificate.not_before = issued;
  certificate.not_after = issued + kCertificateLife;
  return certificate;
}

TEST_F(RosterBoundsTest, ANodeThatTheStoreDoesNotKnowIsTakenInOnce) {
  std::vector<std::thread> calls;
  std::atomic<int> admitted{0};
  for (int i = 0; i < 8; ++i) {
    calls.emplace_back([&] {
      if (roster_->Admit(CertificateOf("a", kNoon), kNoon).ok()) ++admitted;
    });
  }
  for (std::thread& call : calls) call.join();
  EXPECT_EQ(admitted.load(), 8);
  EXPECT_EQ(store_->ListNodes()->size(), 1u);
  EXPECT_EQ(CountEvents(v1::Event::NODE_ENROLLED), 1u);
}

TEST_F(RosterBoundsTest, OfEnrollingAndRemovingAtOnceTheStoreIsRight) {
  Enrol("a");
  v1::NodeRecord as_it_was;
  as_it_was.set_name("a");
  Remove("a", kNoon);
  roster_->Enrolled(as_it_was);  // read from the store before that
  EXPECT_EQ(roster_->Admit(CertificateOf("a", kNoon), kNoon).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).nodes_size(), 0);
}

TEST_F(RosterBoundsTest, ARemovedNodesNameIsLetGoOfAfterItsCertificatesLife) {
  Enrol("gone");
  Enrol("stays");
  Remove("gone", kNoon);
  roster_->Tick(kNoon + seconds(1));
  EXPECT_EQ(store_->ListNodes()->size(), 2u);
  const Time after = kNoon + kCertificateLife + hours(3);
  roster_->Tick(after);
  ASSERT_EQ(store_->ListNodes()->size(), 1u);
  EXPECT_EQ(store_->ListNodes()->front().name(), "stays");
  EXPECT_EQ(roster_->Heartbeat(Beat("gone"), "10.0.0.1", after).status().code(),
            absl::StatusCode::kNotFound);
  Enrol("gone");
  EXPECT_FALSE(Hear(Beat("gone"), after).send_facts());
}

TEST_F(RosterBoundsTest, AnotherMachineUnderTheNameBeginsItsChangesAnew) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  request.add_changes_made()->set_number(7);
  EXPECT_EQ(Hear(request, kNoon).changes_taken(), 7u);
  Remove("a", kNoon);
  ASSERT_TRUE(store_->PurgeNodes(kNoon + seconds(1)).ok());
  Enrol("a");
  request.mutable_changes_made(0)->set_number(1);
  EXPECT_EQ(Hear(request, kNoon + seconds(2)).changes_taken(), 1u);
}

}  // namespace
}  // namespace connect_ha
