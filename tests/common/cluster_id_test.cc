#include "common/proof/cluster_id.h"

#include <gtest/gtest.h>

#include "tests/fakes/test_ca.h"

namespace connect_ha {
namespace {

TEST(ClusterId, IsTheKeysWhateverTheCertificate) {
  EXPECT_EQ(ClusterId(kTestCa).value(), kTestClusterId);
  EXPECT_EQ(ClusterId(kTestCaMadeAnew).value(), kTestClusterId);
}

TEST(ClusterId, OfNoCertificateIsAnError) {
  EXPECT_EQ(ClusterId("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ClusterId("-----BEGIN CERTIFICATE-----\nAAAA\n").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace connect_ha
