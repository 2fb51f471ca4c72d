#include "agent/probes/connect/connect_secret.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

struct Vector {
  std::string key;
  std::string clear;
  std::string cipher_text;
};

struct Vectors {
  std::vector<std::pair<std::string, std::string>> fingerprints;  // by key
  std::vector<Vector> values;
};

// What rskey made: tests/agent/probes/rskey/README.md.
Vectors ReadVectors() {
  Vectors vectors;
  std::ifstream file(CONNECT_HA_SOURCE_DIR "/tests/agent/probes/rskey/vectors.txt");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "key") vectors.fingerprints.emplace_back(words[1], words[2]);
    if (words[0] == "value") {
      const std::string clear = absl::HexStringToBytes(words[1].substr(1));
      vectors.values.push_back({vectors.fingerprints.back().first, clear, words[2]});
    }
  }
  return vectors;
}

TEST(ConnectSecretTest, FingerprintsAreRskeys) {
  const Vectors vectors = ReadVectors();
  ASSERT_EQ(vectors.fingerprints.size(), 2U);
  for (const auto& [key, fingerprint] : vectors.fingerprints) {
    EXPECT_EQ(ConnectKeyFingerprint(key).value(), fingerprint);
  }
}

TEST(ConnectSecretTest, RevealsWhatRskeyEncrypted) {
  const Vectors vectors = ReadVectors();
  ASSERT_EQ(vectors.values.size(), 22U);
  for (const Vector& vector : vectors.values) {
    EXPECT_EQ(RevealConnectSecret(vector.key, vector.cipher_text).value(), vector.clear)
        << vector.cipher_text;
  }
}

TEST(ConnectSecretTest, ReturnsAsItIsWhatTheKeyDoesNotOpen) {
  const Vectors vectors = ReadVectors();
  const std::string& other_key = vectors.fingerprints[1].first;
  ASSERT_NE(vectors.values[0].key, other_key);
  EXPECT_EQ(RevealConnectSecret(other_key, vectors.values[0].cipher_text).value(),
            vectors.values[0].cipher_text);
  std::string damaged = vectors.values[4].cipher_text;
  damaged[20] = damaged[20] == 'A' ? 'B' : 'A';
  EXPECT_EQ(RevealConnectSecret(other_key, damaged).value(), damaged);
}

TEST(ConnectSecretTest, PlainValuesNeedNoKey) {
  for (const char* plain : {"", "secret", "p;a#s\"s word", "c2hvcnQ=",
                            "not base64, however long "
                            "it may be, is plain text"}) {
    EXPECT_EQ(RevealConnectSecret("no key", plain).value(), plain);
  }
}

TEST(ConnectSecretTest, CipherTextWithoutAKeyIsAnError) {
  const Vectors vectors = ReadVectors();
  EXPECT_EQ(RevealConnectSecret("no key", vectors.values[0].cipher_text).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ConnectSecretTest, RefusesWhatIsNoKeyWithoutQuotingIt) {
  const std::string hex_with_line_feed = ReadVectors().fingerprints[0].first + "\n";
  for (const std::string& wrong :
       {std::string(), std::string(1022, 'a'), std::string(1024, 'x'), hex_with_line_feed}) {
    const absl::Status status = ConnectKeyFingerprint(wrong).status();
    EXPECT_EQ(status.message(),
              "is no encryption key of Connect: it must be 512 bytes in hex or base64");
  }
}

// As `openssl rand -base64 512` makes them.
TEST(ConnectSecretTest, TakesBase64InLines) {
  const auto [key, fingerprint] = ReadVectors().fingerprints[1];
  std::string lines;
  for (size_t i = 0; i < key.size(); i += 64) lines += key.substr(i, 64) + "\n";
  EXPECT_EQ(ConnectKeyFingerprint(lines).value(), fingerprint);
}

}  // namespace
}  // namespace connect_ha
