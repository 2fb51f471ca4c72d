// Refusals, by the address that they are of.
#include <gtest/gtest.h>

#include "coordinator/identity/authority.h"
#include "coordinator/rpc/service_caller.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

class CallersTest : public RosterFixture {
 protected:
  // How many events there are after it.
  size_t Refuse(const std::string& address) {
    const absl::Status refusal = absl::PermissionDeniedError("not you");
    EXPECT_EQ(callers_.RefuseAt(address, "node/a", refusal, noon_), refusal);
    return CountEvents(v1::Event::REFUSED);
  }

  const Authority authority_ = *Authority::Create("test", noon_);
  const Admins admins_{*store_, authority_, dir_ + "/first-admin.crt"};
  Callers callers_{"test", *roster_, admins_, *store_};
};

// A single machine takes as many addresses of its network as it likes.
TEST_F(CallersTest, TheAddressesOfOneNetworkShareTheCountOfRefusals) {
  EXPECT_EQ(Refuse("2001:db8:0:1::1"), 1u);
  EXPECT_EQ(Refuse("2001:db8:0:1::2"), 1u);
  EXPECT_EQ(Refuse("2001:db8:0:1:ffff:ffff:ffff:ffff"), 1u);
  EXPECT_EQ(Refuse("2001:db8:0:2::1"), 2u);
  EXPECT_EQ(Refuse("10.0.0.1"), 3u);
  EXPECT_EQ(Refuse("10.0.0.2"), 4u);
}

}  // namespace
}  // namespace connect_ha
