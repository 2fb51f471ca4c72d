// What a node takes, whoever sends it.
#include "agent/assignment/check_desired.h"

#include <gtest/gtest.h>

#include "tests/agent/assignment/signed_fixture.h"

namespace connect_ha {
namespace {

Demands OfLab(std::vector<std::string> signers = {}) {
  Demands demands;
  demands.cluster = "lab";
  demands.signers = std::move(signers);
  return demands;
}

std::string Why(const v1::Desired& desired, const Demands& demands) {
  return std::string(CheckDesired(desired, demands).status().message());
}

bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CheckDesired, TakesWhatIsValid) {
  const auto taken = CheckDesired(DesiredOfLab(3), OfLab());
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->generation(), 3u);
}

TEST(CheckDesired, RefusesAnotherClustersAndSaysWhatToType) {
  v1::Desired desired = DesiredOfLab(3);
  desired.mutable_spec()->set_cluster("other");
  const std::string why = Why(desired, OfLab());
  EXPECT_TRUE(Says(why, "it is for cluster other, this node is of lab\nfix: ")) << why;
}

// Each would reach a path, a command line, or a secret.
TEST(CheckDesired, RefusesWhatWouldLeaveWhatResourcesOwn) {
  const auto refused = [](const char* part, void (*change)(v1::Desired&)) {
    v1::Desired desired = DesiredOfLab(3);
    change(desired);
    const std::string why = Why(desired, OfLab());
    EXPECT_TRUE(Says(why, part)) << part << ": " << why;
    EXPECT_TRUE(Says(why, "\nfix: ")) << why;
  };
  refused("runtimes.quarto[0].version", [](v1::Desired& desired) {
    desired.mutable_spec()->mutable_runtimes()->add_quarto()->set_version("../../etc");
  });
  refused("accounts.--root=x", [](v1::Desired& desired) {
    (*desired.mutable_spec()->mutable_accounts())["--root=x"].set_uid(5);
  });
  refused("secrets.db.file", [](v1::Desired& desired) {
    (*desired.mutable_spec()->mutable_secrets())["db"].set_file("/etc/shadow");
  });
  refused("secrets.db.file", [](v1::Desired& desired) {
    (*desired.mutable_spec()->mutable_secrets())["db"].set_file(
        "/etc/connect-ha/secrets/../../shadow");
  });
  refused("sha256", [](v1::Desired& desired) {
    v1::ConnectSpec& connect = *desired.mutable_spec()->mutable_connect();
    connect.set_version("2024.08.0");
    connect.mutable_package()->set_url("https://example.com/c.deb");
    connect.mutable_package()->set_sha256("../../../etc/cron.d/x");
  });
  refused("secret is filled in for Server.Address", [](v1::Desired& desired) {
    v1::ClusterSpec& spec = *desired.mutable_spec();
    (*spec.mutable_secrets())["db"].set_file("/etc/connect-ha/secrets/db");
    spec.mutable_connect()->set_config("c.gcfg");
    desired.set_connect_config("[Server]\nAddress = ${secret.db}\n");
  });
  refused("connect.config is missing",
          [](v1::Desired& desired) { desired.set_connect_config("[Server]\nAddress = x\n"); });
}

TEST(CheckDesired, IsBounded) {
  v1::Desired large = DesiredOfLab(3);
  large.set_license(std::string(4 * 1024 * 1024, 'x'));
  EXPECT_TRUE(Says(Why(large, OfLab()), "more than a node takes"));
  v1::Desired license = DesiredOfLab(3);
  license.mutable_spec()->mutable_connect()->mutable_license()->set_file("c.lic");
  license.set_license(std::string(100 * 1024, 'x'));
  EXPECT_TRUE(Says(Why(license, OfLab()), "over the limit of 65536"));
  v1::Desired many = DesiredOfLab(3);
  for (int i = 0; i < 300; ++i) {
    (*many.mutable_spec()->mutable_accounts())["a" + std::to_string(i)].set_gid(1);
  }
  EXPECT_TRUE(Says(Why(many, OfLab()), "accounts must be at most 200"));
}

TEST(CheckDesired, ItsPartsAreBounded) {
  v1::Desired lineage = DesiredOfLab(3);
  lineage.set_lineage(std::string(257, 'L'));
  EXPECT_TRUE(Says(Why(lineage, OfLab()), "more than a node takes"));
  v1::Desired spec = DesiredOfLab(3);
  spec.mutable_spec()->mutable_platform()->set_os_id(std::string(1024 * 1024, 'x'));
  EXPECT_TRUE(Says(Why(spec, OfLab()), "more than a node takes"));
}

class SignedTest : public testing::Test {
 protected:
  const SigningKey key_ = NewKey();
  const SigningKey other_ = NewKey();
  const Demands demands_ = OfLab({key_.public_key});
};

TEST_F(SignedTest, WhereSignersAreTrustedNothingElseIsTaken) {
  EXPECT_TRUE(CheckDesired(SignedOfLab(3, key_), demands_).ok());
  EXPECT_TRUE(Says(Why(DesiredOfLab(3), demands_), "it is not signed"));
  EXPECT_TRUE(Says(Why(DesiredOfLab(3), demands_), "\nfix: connect-ha apply --sign KEY"));
  EXPECT_TRUE(Says(Why(SignedOfLab(3, other_), demands_), "a key that this node does not trust"));
  EXPECT_TRUE(
      CheckDesired(SignedOfLab(3, other_), OfLab({other_.public_key, key_.public_key})).ok());
}

TEST_F(SignedTest, WhatIsSignedCountsAndNotWhatIsSaidBesideIt) {
  v1::Desired desired = SignedOfLab(3, key_, 999);
  (*desired.mutable_spec()->mutable_accounts())["rstudio-connect"].set_uid(0);
  desired.set_connect_config("[Server]\n");
  desired.set_license("another");
  desired.mutable_applied_at()->set_seconds(1);
  desired.set_lineage("M");
  const auto taken = CheckDesired(desired, demands_);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->spec().accounts().at("rstudio-connect").uid(), 999u);
  EXPECT_FALSE(taken->has_connect_config());
  EXPECT_FALSE(taken->has_license());
}

TEST_F(SignedTest, EveryBitOfItCounts) {
  const v1::Desired desired = SignedOfLab(3, key_);
  for (const size_t at : {size_t{0}, desired.signed_spec().payload().size() - 1}) {
    v1::Desired changed = desired;
    (*changed.mutable_signed_spec()->mutable_payload())[at] ^= 1;
    EXPECT_TRUE(Says(Why(changed, demands_), "the signature is not that of"));
  }
  v1::Desired changed = desired;
  (*changed.mutable_signed_spec()->mutable_signature())[63] ^= 1;
  EXPECT_TRUE(Says(Why(changed, demands_), "the signature is not that of"));
  changed.mutable_signed_spec()->mutable_signature()->resize(10);
  EXPECT_TRUE(Says(Why(changed, demands_), "has not the form of one"));
}

TEST_F(SignedTest, ItIsSignedForOneClusterAndOneGeneration) {
  v1::Desired renumbered = SignedOfLab(3, key_);
  renumbered.set_generation(8);
  EXPECT_TRUE(Says(Why(renumbered, demands_), "it was signed as generation 3, and comes as 8"));
  EXPECT_TRUE(CheckDraft(renumbered, demands_).ok());

  v1::Desired other = DesiredOfLab(3);
  other.mutable_spec()->set_cluster("other");
  *other.mutable_signed_spec() = Sign(other, key_);
  other.mutable_spec()->set_cluster("lab");
  EXPECT_TRUE(Says(Why(other, demands_), "it is for cluster other"));
}

TEST_F(SignedTest, TheClusterThatItWasSignedForCounts) {
  v1::Desired desired = DesiredOfLab(3);
  v1::SpecToSign spec;
  spec.set_cluster("other");
  spec.set_generation(3);
  *spec.mutable_spec() = desired.spec();
  const auto is_signed = SignSpec(spec, key_);
  ASSERT_TRUE(is_signed.ok()) << is_signed.status();
  *desired.mutable_signed_spec() = *is_signed;
  EXPECT_TRUE(Says(Why(desired, demands_), "it is for cluster other"));
}

TEST_F(SignedTest, WhatIsSignedHasToBeValidToo) {
  v1::Desired wrong = DesiredOfLab(3);
  (*wrong.mutable_spec()->mutable_secrets())["db"].set_file("/etc/shadow");
  *wrong.mutable_signed_spec() = Sign(wrong, key_);
  EXPECT_TRUE(Says(Why(wrong, demands_), "secrets.db.file"));
}

TEST_F(SignedTest, WhereItIsNotKnownWhoIsTrustedNothingIsTaken) {
  Demands demands = OfLab();
  demands.signers = absl::FailedPreconditionError("is not a directory\nfix: rm it");
  EXPECT_TRUE(Says(Why(SignedOfLab(3, key_), demands), "is not a directory"));
  EXPECT_FALSE(CheckDraft(SignedOfLab(3, key_), demands).ok());
}

TEST_F(SignedTest, ADraftThatWouldNotBeTakenIsNotLookedAt) {
  v1::Desired draft = DesiredOfLab(0);
  EXPECT_FALSE(CheckDraft(draft, demands_).ok());
  EXPECT_TRUE(CheckDraft(draft, OfLab()).ok());
}

}  // namespace
}  // namespace connect_ha
