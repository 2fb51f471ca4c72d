#include "common/tls/pinned_ca.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "common/resolve.h"
#include "common/tls/certificate.h"
#include "coordinator/identity/init.h"
#include "tests/agent/link/raw_server.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeout{5'000};

std::string Ca(const TestCluster& cluster) { return LoadCoordinatorFiles(cluster.dir())->ca; }

TEST(PinnedCa, IsTakenFromTheServersChain) {
  const TestCluster cluster;
  const std::string ca = Ca(cluster);

  const auto fetched = FetchPinnedCa(cluster.target(), *CaHash(ca), kTimeout);

  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_EQ(*fetched, ca);
  EXPECT_EQ(ExplainConnection(cluster.target(), ca, kTimeout), absl::OkStatus());
}

TEST(PinnedCa, OfAnotherClusterIsNamedByItsHash) {
  const TestCluster cluster;
  const Authority other = *Authority::Create("other", TestNow());
  const std::string expected =
      "the coordinator at " + cluster.target() + " presents a CA with hash " +
      *CaHash(Ca(cluster)) + ", not the pinned " + other.hash() +
      "; fix: take the command from connect-ha token create on the right coordinator, and if that "
      "does not help: something else answers at this address";

  EXPECT_EQ(FetchPinnedCa(cluster.target(), other.hash(), kTimeout).status(),
            absl::FailedPreconditionError(expected));
  EXPECT_EQ(ExplainConnection(cluster.target(), other.certificate(), kTimeout),
            absl::FailedPreconditionError(expected));
}

TEST(PinnedCa, HashMustBeOne) {
  for (const char* hash : {"", "sha256:", "sha256:abc", "md5:00"}) {
    EXPECT_EQ(FetchPinnedCa("127.0.0.1:1", hash, kTimeout).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(PinnedCa, ServerThatSpeaksNoTlsIsSaidSo) {
  const RawServer server("HTTP/1.1 400 Bad Request\r\n\r\n", false);

  const auto status = FetchPinnedCa(server.address(), "sha256:" + std::string(64, '0'), kTimeout);

  EXPECT_EQ(status.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.status().message().find("does not speak TLS as a coordinator does"),
            absl::string_view::npos)
      << status.status();
}

TEST(PinnedCa, ServerThatSaysNothingTimesOut) {
  const RawServer server("", false);

  const auto status =
      FetchPinnedCa(server.address(), "sha256:" + std::string(64, '0'), milliseconds(200));

  EXPECT_EQ(status.status(), absl::UnavailableError(
                                 "cannot reach the coordinator at " + server.address() +
                                 ": it takes the connection but does not answer in TLS; fix: check "
                                 "that the port is the coordinator's"));
}

TEST(PinnedCa, ServerThatHangsUpIsUnavailable) {
  const RawServer server("", true);

  const auto status = FetchPinnedCa(server.address(), "sha256:" + std::string(64, '0'), kTimeout);

  EXPECT_EQ(status.status().code(), absl::StatusCode::kUnavailable) << status.status();
}

TEST(PinnedCa, RefusedConnectionSaysWhatToLookAt) {
  std::string address;
  {
    const RawServer gone("", true);
    address = gone.address();
  }

  const auto status = FetchPinnedCa(address, "sha256:" + std::string(64, '0'), kTimeout);

  EXPECT_EQ(status.status(),
            absl::UnavailableError("cannot reach the coordinator at " + address +
                                   ": connection refused; fix: on the coordinator: systemctl "
                                   "status connect-ha-coordinator"));
}

TEST(PinnedCa, NameThatDoesNotResolveIsSaidSo) {
  const auto status =
      FetchPinnedCa("no-such-host.invalid:1", "sha256:" + std::string(64, '0'), kTimeout);

  EXPECT_EQ(status.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.status().message().find("its name does not resolve"), absl::string_view::npos);
}

std::atomic<bool> silent{false};

absl::StatusOr<std::vector<std::string>> LookUpSilently(const std::string&) {
  while (silent) std::this_thread::sleep_for(milliseconds(1));
  return std::vector<std::string>{"192.0.2.1"};
}

// A look-up of a name that is under way is waited for by whoever else asks for it.
TEST(PinnedCa, ANameThatNobodyAnswersForIsGivenUpInTime) {
  silent = true;
  EXPECT_FALSE(ResolveHostWith(LookUpSilently, "silent.invalid", milliseconds(1)).ok());
  const auto began = std::chrono::steady_clock::now();

  const auto status =
      FetchPinnedCa("silent.invalid:1", "sha256:" + std::string(64, '0'), milliseconds(50));

  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_NE(status.status().message().find("its name does not resolve (no answer in "),
            absl::string_view::npos)
      << status.status();
  silent = false;
  EXPECT_TRUE(ResolveHostWith(LookUpSilently, "silent.invalid", std::chrono::seconds(30)).ok());
}

TEST(PinnedCa, CertificateForAnotherNameIsSaidSo) {
  TestCluster cluster;
  // Another way to write 127.0.0.1, which the certificate does not have.
  const std::string address = "127.1:" + std::to_string(cluster.coordinator().port());

  const absl::Status status = ExplainConnection(address, Ca(cluster), kTimeout);

  EXPECT_EQ(status, absl::FailedPreconditionError(
                        "the certificate of the coordinator is for 127.0.0.1, ::1, localhost, not "
                        "for 127.1; fix: on the coordinator: connect-ha init --host 127.1, then "
                        "restart it"));
}

}  // namespace
}  // namespace connect_ha
