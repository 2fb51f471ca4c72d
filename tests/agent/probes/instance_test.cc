#include "agent/probes/machine/instance.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kBootId[] = "/proc/sys/kernel/random/boot_id";

v1::Facts Read(ProbeBench& bench) { return bench.Run(ReadInstance, "instance"); }

TEST(Instance, OffEc2NothingIsAsked) {
  ProbeBench bench;
  bench.host->SetFile("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
  EXPECT_EQ(Text(Read(bench)), "");
  EXPECT_TRUE(bench.host->http_requests().empty());
}

TEST(Instance, AFirmwareTableThatCannotBeReadIsNoProofOfAbsence) {
  ProbeBench bench;
  bench.host->SetError("/sys/class/dmi/id/sys_vendor", absl::PermissionDeniedError("not allowed"));
  EXPECT_EQ(Text(Read(bench)),
            "unobserved {\n  path: \"instance\"\n  reason: \"not allowed\"\n}\n");
}

TEST(Instance, OnEc2AServiceThatDoesNotAnswerIsUnobserved) {
  ProbeBench bench;
  bench.host->SetFile("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
  bench.host->SetFile(kBootId, "boot\n");
  EXPECT_EQ(Text(Read(bench)),
            "unobserved {\n  path: \"instance\"\n  reason: \"connection refused: "
            "http://169.254.169.254/latest/api/token\"\n}\n");
}

TEST(Instance, AnItemThatTheInstanceDoesNotHaveIsAbsent) {
  auto bench = std::make_unique<ProbeBench>(FakeHost::FromDirectory("tests/nodes/healthy"));
  HttpResponse missing;
  missing.status = 404;
  bench->host->SetHttp("GET", "http://169.254.169.254/latest/meta-data/instance-life-cycle",
                       missing);
  const v1::Facts facts = Read(*bench);
  EXPECT_TRUE(facts.instance().has_zone());
  EXPECT_FALSE(facts.instance().has_lifecycle());
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST(Instance, AnItemThatFailsIsUnobservedAndAskedAgain) {
  ProbeBench bench(FakeHost::FromDirectory("tests/nodes/healthy"));
  HttpResponse busy;
  busy.status = 503;
  const std::string url = "http://169.254.169.254/latest/meta-data/placement/availability-zone";
  bench.host->SetHttp("GET", url, busy);
  const v1::Facts facts = Read(bench);
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "instance.zone");
  EXPECT_EQ(facts.unobserved(0).reason(),
            "the instance metadata service answered 503 for placement/availability-zone");
  HttpResponse zone;
  zone.status = 200;
  zone.body = "us-east-1b";
  bench.host->SetHttp("GET", url, zone);
  EXPECT_EQ(Read(bench).instance().zone(), "us-east-1b");
}

TEST(Instance, IsAskedAgainAfterABoot) {
  ProbeBench bench(FakeHost::FromDirectory("tests/nodes/healthy"));
  Read(bench);
  const size_t asked = bench.host->http_requests().size();
  Read(bench);
  EXPECT_EQ(bench.host->http_requests().size(), asked);
  bench.host->SetFile(kBootId, "another boot\n");
  Read(bench);
  EXPECT_EQ(bench.host->http_requests().size(), 2 * asked);
}

TEST(Instance, AnExpiredTokenIsReplacedOnce) {
  ProbeBench bench(FakeHost::FromDirectory("tests/nodes/healthy"));
  HttpResponse expired;
  expired.status = 401;
  bench.host->SetHttp("GET", "http://169.254.169.254/latest/meta-data/mac", expired);
  EXPECT_EQ(Read(bench).unobserved(0).reason(),
            "the instance metadata service answered 401 for mac");
  const std::vector<std::string> requests = bench.host->http_requests();
  EXPECT_EQ(
      std::count(requests.begin(), requests.end(), "PUT http://169.254.169.254/latest/api/token"),
      2);
}

TEST(Instance, AnotherEndpointIsAskedWhateverTheFirmwareSays) {
  ProbeBench bench;
  bench.host->SetFile(kBootId, "boot\n");
  bench.agent_config.set_imds_endpoint("http://127.0.0.1:8766/");
  Read(bench);
  EXPECT_EQ(bench.host->http_requests(),
            std::vector<std::string>{"PUT http://127.0.0.1:8766/latest/api/token"});
}

TEST(Instance, TheUsualEndpointIsNotAskedOffEc2) {
  ProbeBench bench;
  bench.agent_config.set_imds_endpoint("http://169.254.169.254");
  EXPECT_EQ(Text(Read(bench)), "");
}

}  // namespace
}  // namespace connect_ha
