// Whom a node trusts, on a machine in memory: there a file can be anybody's.
#include "agent/assignment/trusted_signers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/agent/assignment/signed_fixture.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr char kDirectory[] = "/etc/connect-ha/trusted";

class TrustedSignersTest : public testing::Test {
 protected:
  TrustedSignersTest() { host_.SetDirectory("/etc/connect-ha"); }

  void Put(const std::string& name, const std::string& text, uint32_t mode = 0644,
           uint32_t uid = 0) {
    FakeFile file;
    file.content = text;
    file.mode = mode;
    file.uid = uid;
    host_.SetFile(std::string(kDirectory) + "/" + name, file);
  }
  absl::StatusOr<std::vector<std::string>> Read() { return ReadTrustedSigners(host_, kDirectory); }
  // An error, never "no keys", with what to type.
  void ExpectRefusal(const std::string& why) {
    const auto signers = Read();
    ASSERT_FALSE(signers.ok()) << why;
    EXPECT_NE(signers.status().message().find(why), std::string::npos) << signers.status();
    EXPECT_NE(signers.status().message().find("\nfix: "), std::string::npos) << signers.status();
    EXPECT_FALSE(absl::IsNotFound(signers.status()));
  }

  FakeHost host_;
  const SigningKey key_ = NewKey();
};

TEST_F(TrustedSignersTest, WithoutTheDirectoryThereAreNone) {
  const auto signers = Read();
  ASSERT_TRUE(signers.ok()) << signers.status();
  EXPECT_TRUE(signers->empty());
}

TEST_F(TrustedSignersTest, EachFileIsOneSigner) {
  const SigningKey other = NewKey();
  Put("alice.pub", PublicKeyLine(key_.public_key));
  Put("bob.pub", PublicKeyLine(other.public_key));
  const auto signers = Read();
  ASSERT_TRUE(signers.ok()) << signers.status();
  std::vector<std::string> expected = {key_.public_key, other.public_key};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(*signers, expected);
}

TEST_F(TrustedSignersTest, APlainFileOrALinkInItsPlaceIsNoLeave) {
  host_.SetFile(kDirectory, "");
  ExpectRefusal("is not a directory");
  host_.Erase(kDirectory);
  host_.SetLink(kDirectory, "/nowhere");
  ExpectRefusal("is not a directory");
}

TEST_F(TrustedSignersTest, WhatCannotBeReadIsNoLeave) {
  Put("alice.pub", PublicKeyLine(key_.public_key));
  host_.SetError(kDirectory, absl::PermissionDeniedError("no"));
  EXPECT_FALSE(Read().ok());
  host_.SetError(kDirectory, absl::OkStatus());
  host_.SetError(std::string(kDirectory) + "/alice.pub", absl::NotFoundError("gone"));
  const auto signers = Read();
  EXPECT_FALSE(signers.ok());
  EXPECT_FALSE(absl::IsNotFound(signers.status()));
}

TEST_F(TrustedSignersTest, AnEmptyDirectoryIsNoLeave) {
  host_.SetDirectory(kDirectory);
  ExpectRefusal("has 0 keys");
}

TEST_F(TrustedSignersTest, AFileThatIsNoKeyIsNoLeave) {
  const std::string line = PublicKeyLine(key_.public_key);
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("ed25519 AAAA\n"), line + line,
        line.substr(0, line.size() - 3), std::string("ed25519 ") + std::string(43, '/') + "=\n"}) {
    Put("alice.pub", text);
    EXPECT_FALSE(Read().ok()) << text;
  }
  Put("alice.pub", std::string(5000, 'x'));
  ExpectRefusal("is no public key");
  Put("alice.pub", line);
  EXPECT_TRUE(Read().ok());
  Put("bob.pub", "");
  ExpectRefusal("bob.pub has no public key");
}

TEST_F(TrustedSignersTest, WhateverElseIsInItIsAMistake) {
  Put("alice.pub", PublicKeyLine(key_.public_key));
  Put("bob.pub~", PublicKeyLine(key_.public_key));
  ExpectRefusal("bob.pub~ is no NAME.pub");
  host_.Erase(std::string(kDirectory) + "/bob.pub~");
  host_.SetLink(std::string(kDirectory) + "/bob.pub", "alice.pub");
  ExpectRefusal("bob.pub is not a file");
}

TEST_F(TrustedSignersTest, OnlyRootMayBeAbleToChangeThem) {
  const std::string line = PublicKeyLine(key_.public_key);
  Put("alice.pub", line, 0664);
  ExpectRefusal("alice.pub may be changed by others than root");
  Put("alice.pub", line, 0644, 1000);
  ExpectRefusal("alice.pub may be changed by others than root");
  Put("alice.pub", line);
  host_.SetOwner(kDirectory, 0777, 0, 0);
  ExpectRefusal("trusted may be changed by others than root");
  host_.SetOwner(kDirectory, 0755, 1000, 0);
  ExpectRefusal("trusted may be changed by others than root");
  host_.SetOwner(kDirectory, 0755, 0, 0);
  EXPECT_TRUE(Read().ok());
}

}  // namespace
}  // namespace connect_ha
