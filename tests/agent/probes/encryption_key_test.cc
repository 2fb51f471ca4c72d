#include "agent/probes/connect/encryption_key.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>

#include "agent/probes/connect/connect_secret.h"
#include "agent/probes/probe_cache.h"
#include "common/tls/crypto.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

const std::string kKey(1024, 'a');
const std::string kOtherKey(1024, 'b');
constexpr char kDefaultFile[] = "/var/lib/rstudio-connect/db/secret.key";

class EncryptionKeyTest : public testing::Test {
 protected:
  // The facts that `text` describes; "KEY" and "OTHER" stand for the keys' keyed fingerprints.
  std::string Expected(const std::string& text) {
    v1::Facts facts;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &facts));
    if (facts.encryption_key().has_fingerprint()) {
      const std::string& key = facts.encryption_key().fingerprint() == "KEY" ? kKey : kOtherKey;
      facts.mutable_encryption_key()->set_fingerprint(
          KeyedDigestHex(digest_key_, ConnectKeyFingerprint(key).value()));
    }
    return facts.DebugString();
  }

  std::string Read(const std::string& gcfg) {
    const auto config =
        std::make_shared<const ConnectConfig>(MergeConnectConfig(ParseGcfg(gcfg).entries, {}));
    v1::Facts facts;
    EXPECT_TRUE(
        ReadEncryptionKey(
            {host_, agent_config_, config, absl::OkStatus(), digest_key_, Time(), cache_}, facts)
            .ok());
    EXPECT_EQ(facts.SerializeAsString().find(kKey.substr(0, 100)), std::string::npos);
    return facts.DebugString();
  }

  void SetKeyFile(const std::string& path, const std::string& key) {
    FakeFile file;
    file.content = key;
    file.mode = 0600;
    host_.SetFile(path, file);
  }

  FakeHost host_;
  v1::AgentConfig agent_config_;
  std::string digest_key_ = std::string(32, 'k');
  ProbeCache cache_;
};

TEST_F(EncryptionKeyTest, ReadsTheDefaultFile) {
  SetKeyFile(kDefaultFile, kKey);
  EXPECT_EQ(Read(""), Expected(R"(encryption_key {
      sources: "default" path: "/var/lib/rstudio-connect/db/secret.key" mode: 384 uid: 0
      fingerprint: "KEY" })"));
}

TEST_F(EncryptionKeyTest, TheDefaultFileFollowsTheDatabaseDirectory) {
  SetKeyFile("/mnt/connect/db/secret.key", kKey);
  EXPECT_EQ(Read("[Server]\nDataDir = /mnt/connect\n"), Expected(R"(encryption_key {
      sources: "default" path: "/mnt/connect/db/secret.key" mode: 384 uid: 0
      fingerprint: "KEY" })"));
}

TEST_F(EncryptionKeyTest, NoKeyYetIsAbsent) { EXPECT_EQ(Read(""), ""); }

TEST_F(EncryptionKeyTest, ReadsTheConfiguredFile) {
  SetKeyFile(kDefaultFile, kOtherKey);
  SetKeyFile("/etc/key", kKey);
  EXPECT_EQ(Read("[Server]\nEncryptionKeyFile = /etc/key\n"), Expected(R"(encryption_key {
      sources: "Server.EncryptionKeyFile" path: "/etc/key" mode: 384 uid: 0
      fingerprint: "KEY" })"));
}

TEST_F(EncryptionKeyTest, AConfiguredFileThatIsMissingHasNoFingerprint) {
  EXPECT_EQ(Read("[Server]\nEncryptionKeyFile = /etc/key\n"), Expected(R"(encryption_key {
      sources: "Server.EncryptionKeyFile" path: "/etc/key" })"));
}

TEST_F(EncryptionKeyTest, ReadsTheKeyInTheConfiguration) {
  EXPECT_EQ(Read("[Server]\nEncryptionKey = " + kOtherKey + "\n"), Expected(R"(encryption_key {
      sources: "Server.EncryptionKey" fingerprint: "OTHER" })"));
}

TEST_F(EncryptionKeyTest, BothWaysAreReported) {
  SetKeyFile("/etc/key", kKey);
  EXPECT_EQ(Read("[Server]\nEncryptionKeyFile = /etc/key\nEncryptionKey = " + kOtherKey + "\n"),
            Expected(R"(encryption_key {
      sources: "Server.EncryptionKeyFile" sources: "Server.EncryptionKey" path: "/etc/key"
      mode: 384 uid: 0 fingerprint: "KEY" })"));
}

TEST_F(EncryptionKeyTest, AFileThatIsNoKeyHasNoFingerprintThatCouldBeKnown) {
  SetKeyFile(kDefaultFile, "nonsense");
  EXPECT_EQ(Read(""), Expected(R"(
      encryption_key {
        sources: "default" path: "/var/lib/rstudio-connect/db/secret.key" mode: 384 uid: 0 }
      unobserved { path: "encryption_key.fingerprint" reason: "/var/lib/rstudio-connect/db/secret.key: is no encryption key of Connect: it must be 512 bytes in hex or base64" })"));
}

TEST_F(EncryptionKeyTest, AFileSystemThatHangsIsUnobserved) {
  host_.SetError("/mnt", absl::DeadlineExceededError("/mnt does not answer"));
  EXPECT_EQ(Read("[Server]\nDataDir = /mnt/connect\n"), Expected(R"(
      encryption_key { sources: "default" path: "/mnt/connect/db/secret.key" }
      unobserved { path: "encryption_key.mode" reason: "/mnt does not answer" }
      unobserved { path: "encryption_key.uid" reason: "/mnt does not answer" }
      unobserved { path: "encryption_key.fingerprint" reason: "/mnt does not answer" })"));
}

TEST_F(EncryptionKeyTest, AnUnreadableConfigurationIsAnError) {
  v1::Facts facts;
  EXPECT_EQ(ReadEncryptionKey({host_, agent_config_, nullptr, absl::UnavailableError("no bus"),
                               digest_key_, Time(), cache_},
                              facts),
            absl::UnavailableError("no bus"));
}

TEST_F(EncryptionKeyTest, WithoutAConfigurationFileTheDefaultsHold) {
  SetKeyFile(kDefaultFile, kKey);
  v1::Facts facts;
  ASSERT_TRUE(
      ReadEncryptionKey(
          {host_, agent_config_, nullptr, absl::OkStatus(), digest_key_, Time(), cache_}, facts)
          .ok());
  EXPECT_EQ(facts.encryption_key().path(), kDefaultFile);
}

}  // namespace
}  // namespace connect_ha
