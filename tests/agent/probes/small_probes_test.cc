// Probes and parsers of a few lines each.
#include <gtest/gtest.h>

#include "agent/probes/accounts.h"
#include "agent/probes/clock.h"
#include "agent/probes/host.h"
#include "agent/probes/license.h"
#include "agent/probes/listeners.h"
#include "agent/probes/memory.h"
#include "agent/probes/resolve.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

TEST(OsRelease, ValuesMayBeQuotedEitherWay) {
  const char* text = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\nNAME=\n";
  EXPECT_EQ(OsReleaseValue(text, "ID"), "debian");
  EXPECT_EQ(OsReleaseValue(text, "VERSION_ID"), "12");
  EXPECT_EQ(OsReleaseValue(text, "PRETTY_NAME"), "Debian 12");
  EXPECT_EQ(OsReleaseValue(text, "NAME"), "");
  EXPECT_EQ(OsReleaseValue(text, "ABSENT"), "");
}

TEST(Clock, AUnitThatCannotBeReadMayBeTheOneThatKeepsTheClock) {
  ProbeBench bench;
  bench.host->SetError("ntp.service", absl::UnavailableError("no bus"));
  const v1::Facts facts = bench.Run(ReadClock, "clock");
  EXPECT_EQ(Text(facts),
            "clock {\n  synchronized: true\n  max_error_us: 500\n}\n"
            "unobserved {\n  path: \"clock.time_service\"\n  reason: \"no bus\"\n}\n");
}

TEST(Accounts, OneThatCannotBeLookedUpIsNotListedAsMissing) {
  ProbeBench bench;
  bench.host->SetError("rstudio-connect", absl::UnavailableError("sssd is down"));
  EXPECT_EQ(Text(bench.Run(ReadAccounts, "accounts")),
            "unobserved {\n  path: \"accounts\"\n  reason: \"sssd is down\"\n}\n");
}

TEST(LicenseStatus, TakesTheFirstBlock) {
  const v1::LicenseFacts license = ParseLicenseStatus(
      "-- Local license status --\n\nStatus: Expired\nDays-Left: -3\nExpiration: 2024-07-29 "
      "00:00:00\n\n-- Floating license status --\n\nStatus: Activated\nDays-Left: 9\n");
  EXPECT_EQ(Text(license),
            "status: \"Expired\"\ndays_left: -3\nexpiration: \"2024-07-29 00:00:00\"\n");
}

TEST(LicenseStatus, IsUnsetInAnAnswerWithoutOne) {
  EXPECT_EQ(Text(ParseLicenseStatus("license-manager: command failed\n")), "");
}

TEST(License, AFloatingOneIsRemote) {
  ProbeBench bench;
  bench.Configure({{"Licensing.LicenseType", "remote"}});
  EXPECT_EQ(bench.Run(ReadLicense, "license").license().kind(), "remote");
}

TEST(Listeners, AreReadFromBothProtocols) {
  const auto v4 = ParseListeners("  sl  local_address\n   0: 0100007F:0F63 00000000:0000 0A x\n");
  ASSERT_EQ(v4.size(), 1u);
  EXPECT_EQ(Text(v4[0]), "address: \"127.0.0.1\"\nport: 3939\n");
  const auto v6 = ParseListeners(
      "   0: 0000000000000000FFFF00000100007F:0F63 0:0 0A x\n"
      "   1: B80D0120000000000000000001000000:0016 0:0 0A x\n");
  ASSERT_EQ(v6.size(), 2u);
  EXPECT_EQ(v6[0].address(), "::ffff:127.0.0.1");
  EXPECT_EQ(v6[1].address(), "2001:db8::1");
}

TEST(Listeners, WithoutIpv6ThereAreThoseOfIpv4) {
  ProbeBench bench;
  bench.host->SetFile("/proc/net/tcp", "   0: 00000000:0016 00000000:0000 0A x\n");
  EXPECT_EQ(Text(bench.Run(ReadListeners, "listeners")),
            "listeners {\n  tcp {\n    address: \"0.0.0.0\"\n    port: 22\n  }\n}\n");
}

TEST(Memory, ALineThatIsNotThereLeavesItsFieldUnset) {
  EXPECT_EQ(Text(ParseMeminfo("MemTotal:  1024 kB\nMemFree: 1 kB\n")), "total_bytes: 1048576\n");
}

TEST(ResolveHost, AnAddressIsItsOwn) {
  const auto addresses = ResolveHost("127.0.0.1", std::chrono::seconds(5));
  ASSERT_TRUE(addresses.ok());
  EXPECT_EQ(*addresses, std::vector<std::string>{"127.0.0.1"});
}

}  // namespace
}  // namespace connect_ha
