// Probes and parsers of a few lines each.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "agent/probes/connect/license.h"
#include "agent/probes/machine/accounts.h"
#include "agent/probes/machine/clock.h"
#include "agent/probes/machine/host.h"
#include "agent/probes/machine/listeners.h"
#include "agent/probes/machine/listening_sockets.h"
#include "agent/probes/machine/memory.h"
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

TEST(Accounts, LooksForThoseThatTheSpecificationNames) {
  ProbeBench bench;
  bench.accounts = {"analysts", "rstudio-connect"};
  const v1::Facts facts = bench.Run(ReadAccounts, "accounts");
  EXPECT_EQ(Text(facts.accounts().accounts(0)),
            "name: \"rstudio-connect\"\nrole: \"Applications.RunAs, package\"\n");
  EXPECT_EQ(Text(facts.accounts().accounts(1)), "name: \"analysts\"\nrole: \"specification\"\n");
  EXPECT_EQ(facts.accounts().accounts_size(), 2);
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

TEST(LicenseStatus, IsThatOfTheLicenceInUse) {
  const auto parse = [](const std::string& local, const std::string& floating) {
    return Text(
        ParseLicenseStatus("RStudio License Manager 2022.11.0\n\n-- Local license status "
                           "--\n\nTrial-Type: Verified\n" +
                           local + "\n-- Floating license status --\n\n" + floating));
  };
  const std::string leased = "status: \"Activated\"\nkind: \"floating\"\n";
  const std::string server = "License-Server: licences.example.org:8999\n";
  EXPECT_EQ(parse("Status: Expired\n", server + "Lease: Active\n"), leased);
  EXPECT_EQ(parse("Status: Evaluation\nDays-Left: 12\n", server + "Lease: Active\n"), leased);
  EXPECT_EQ(parse("Status: Activated\nDays-Left: 100\n", server + "Lease: Active\n"), leased);
  EXPECT_EQ(parse("Status: Expired\n", server + "Lease: Expired\n"),
            "status: \"Expired\"\nkind: \"floating\"\n");
  EXPECT_EQ(parse("Status: Evaluation\nDays-Left: 12\n", server + "Lease: None\n"),
            "status: \"None\"\nkind: \"floating\"\n");
  EXPECT_EQ(parse("Status: Activated\nDays-Left: 100\n", server + "Lease: None\n"),
            "status: \"Activated\"\ndays_left: 100\n");
  EXPECT_EQ(parse("Status: Expired\n", ""), "status: \"Expired\"\n");
}

TEST(License, AFloatingOneIsRemote) {
  ProbeBench bench;
  bench.Configure({{"Licensing.LicenseType", "remote"}});
  EXPECT_EQ(bench.Run(ReadLicense, "license").license().kind(), "remote");
}

TEST(License, FilesWithoutEndAreNotReported) {
  ProbeBench bench;
  for (int i = 0; i < 101; ++i) {
    bench.host->SetFile("/var/lib/rstudio-connect/" + std::to_string(i) + ".lic", "x");
  }
  const v1::Facts facts = bench.Run(ReadLicense, "license");
  EXPECT_EQ(facts.license().files_size(), 0);
  EXPECT_EQ(facts.unobserved(0).path(), "license.files");
  EXPECT_EQ(facts.unobserved(0).reason(),
            "more than 100 licence files are in /var/lib/rstudio-connect");
}

v1::Listener MakeListener(const std::string& address, uint32_t port) {
  v1::Listener listener;
  listener.set_address(address);
  listener.set_port(port);
  return listener;
}

TEST(Listeners, AreSortedAndToldOnceWithoutTheOnesOfContent) {
  EXPECT_EQ(Text(SelectListeners({MakeListener("0.0.0.0", 3939), MakeListener("127.0.0.1", 40001),
                                  MakeListener("::1", 40001), MakeListener("::", 22),
                                  MakeListener("0.0.0.0", 40001), MakeListener("::", 22),
                                  MakeListener("127.0.0.1", 20123)})),
            "tcp {\n  address: \"::\"\n  port: 22\n}\n"
            "tcp {\n  address: \"0.0.0.0\"\n  port: 3939\n}\n"
            "tcp {\n  address: \"127.0.0.1\"\n  port: 20123\n}\n"
            "tcp {\n  address: \"0.0.0.0\"\n  port: 40001\n}\n");
}

TEST(Listeners, AreTheKernels) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);

  const auto listeners = ListListeningSockets();
  close(fd);

  ASSERT_TRUE(listeners.ok()) << listeners.status();
  EXPECT_EQ(std::count_if(listeners->begin(), listeners->end(),
                          [&](const v1::Listener& one) {
                            return one.address() == "127.0.0.1" &&
                                   one.port() == ntohs(address.sin_port);
                          }),
            1);
}

TEST(Memory, ALineThatIsNotThereLeavesItsFieldUnset) {
  EXPECT_EQ(Text(ParseMeminfo("MemTotal:  1024 kB\nMemFree: 1 kB\n")), "total_bytes: 1048576\n");
}

}  // namespace
}  // namespace connect_ha
