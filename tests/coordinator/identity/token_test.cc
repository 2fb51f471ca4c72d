#include "coordinator/identity/token.h"

#include <gtest/gtest.h>

#include <set>

#include "absl/strings/escaping.h"
#include "common/tls/crypto.h"
#include "coordinator/identity/challenges.h"

namespace connect_ha {
namespace {

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

// Computed with Python's hmac and hashlib from the specification in enrolment_service.proto.
struct Vector {
  std::string secret;
  JoinMessage message;
  const char* stored_key;
  const char* proof;
};

std::string CountingBytes(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

std::vector<Vector> Vectors() {
  return {
      {"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst",
       {CountingBytes(32), "not really a request", "k7x2mq4zab", "node-1",
        "0123456789abcdef0123456789abcdef"},
       "f87d7ce64b9cb91e1cb6ea812ae8d103ab8dd972c14372c3569166dfad036da6",
       "00ac2f3f9d562d26df5b3c533079e00eead34926cf7ea787e35b7858b85e803b"},
      {"a",
       {"", "", "a", "n", "m"},
       "c6fe120053cec4542a550d92246c484ca540d116fc523e69694b2065a61509f9",
       "9ff8e051c365c8d2c73089049d85e7a0d9ef9cb307ef56ecacd6e534d11ecb25"},
      {std::string(52, '7'),
       {std::string(56, '\0'), "\x30\x82" + std::string(300, '\xff'), "2222222222",
        std::string(63, 'n'), std::string(64, 'f')},
       "724d8d5d69f1765e32b2a112136c4822b51f116117d57203912396ab26fbf2a0",
       "1fade9469602ee3ea2b00d4186442843fdab84bc5598ad5b7fc136c196f4e779"},
  };
}

TEST(JoinProof, IsWhatTheSpecificationSays) {
  for (const Vector& vector : Vectors()) {
    EXPECT_EQ(Hex(StoredKey(vector.secret)), vector.stored_key);
    EXPECT_EQ(Hex(MakeProof(vector.secret, vector.message)), vector.proof);
    EXPECT_TRUE(ProofHolds(absl::HexStringToBytes(vector.stored_key), vector.message,
                           absl::HexStringToBytes(vector.proof)));
  }
}

TEST(JoinProof, HoldsForNothingElse) {
  const Vector vector = Vectors()[0];
  const std::string stored_key = StoredKey(vector.secret);
  const std::string proof = MakeProof(vector.secret, vector.message);
  std::vector<JoinMessage> changed(5, vector.message);
  changed[0].challenge += "x";
  changed[1].csr_der += "x";
  changed[2].token_id += "x";
  changed[3].node = "node-2";
  changed[4].machine_id += "x";
  for (const JoinMessage& message : changed) {
    EXPECT_FALSE(ProofHolds(stored_key, message, proof));
  }
  EXPECT_FALSE(ProofHolds(StoredKey("other"), vector.message, proof));
  EXPECT_FALSE(ProofHolds(stored_key, vector.message, ""));
  EXPECT_FALSE(ProofHolds(stored_key, vector.message, proof + "x"));
  // What the coordinator keeps is not enough to make a proof.
  EXPECT_FALSE(ProofHolds(stored_key, vector.message, MakeProof(stored_key, vector.message)));
}

TEST(JoinProof, DoesNotRunFieldsTogether) {
  const std::string stored_key = StoredKey("secret");
  const JoinMessage message{"c", "csr", "token", "node-1", "23"};
  JoinMessage shifted = message;
  shifted.node = "node-12";
  shifted.machine_id = "3";

  EXPECT_FALSE(ProofHolds(stored_key, shifted, MakeProof("secret", message)));
}

TEST(JoinToken, IsReadBackAndNeverRepeated) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const JoinToken token = MakeJoinToken();
    EXPECT_EQ(token.id.size(), 10u);
    EXPECT_EQ(token.secret.size(), 52u);
    const auto parsed = ParseJoinToken(token.id + "." + token.secret);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->id, token.id);
    EXPECT_EQ(parsed->secret, token.secret);
    seen.insert(token.id);
    seen.insert(token.secret);
  }
  EXPECT_EQ(seen.size(), 200u);
}

TEST(JoinToken, ThatIsMistypedIsNotRepeatedInTheError) {
  for (const char* text :
       {"", ".", "abc", "abc.", ".abc", "ABC.DEF", "abc.def.ghi", "abc def.ghi"}) {
    const auto token = ParseJoinToken(text);
    ASSERT_FALSE(token.ok()) << text;
    if (std::string(text).size() > 1) {
      EXPECT_EQ(token.status().message().find(text), absl::string_view::npos) << text;
    }
  }
}

TEST(NamePattern, MatchesAsAShellDoes) {
  EXPECT_TRUE(NameMatches("", "anything"));
  EXPECT_TRUE(NameMatches("node-1", "node-1"));
  EXPECT_FALSE(NameMatches("node-1", "node-12"));
  EXPECT_TRUE(NameMatches("node-*", "node-"));
  EXPECT_TRUE(NameMatches("node-*", "node-12"));
  EXPECT_TRUE(NameMatches("*-a-*", "x-a-a-y"));
  EXPECT_TRUE(NameMatches("n?de-?", "node-1"));
  EXPECT_FALSE(NameMatches("n?de-?", "node-"));
  EXPECT_FALSE(NameMatches("*b", "abc"));
  EXPECT_TRUE(NameMatches("*a*a*a*a*a*a*b", std::string(40, 'a') + "b"));
  EXPECT_FALSE(NameMatches("*a*a*a*a*a*a*b", std::string(63, 'a')));
}

TEST(NamePattern, MayHoldNothingButNamesAndWildcards) {
  for (const char* good : {"", "node-1", "ip-10-0-*", "*", "node-??"}) {
    EXPECT_TRUE(CheckNamePattern(good).ok()) << good;
  }
  for (const char* bad : {"Node", "node_1", "node-[12]", "a b", "-a"}) {
    EXPECT_FALSE(CheckNamePattern(bad).ok()) << bad;
  }
}

TEST(Challenges, AreGoodOnceForAMinute) {
  Challenges challenges;
  const std::string challenge = challenges.Issue(kNow);

  EXPECT_TRUE(challenges.Good(challenge, kNow + std::chrono::seconds(60)));
  EXPECT_FALSE(challenges.Good(challenge, kNow + std::chrono::seconds(61)));
  EXPECT_TRUE(challenges.Spend(challenge, kNow));
  EXPECT_FALSE(challenges.Good(challenge, kNow));
  EXPECT_FALSE(challenges.Spend(challenge, kNow));
  // Forgotten by then, and too old in any case.
  EXPECT_FALSE(challenges.Spend(challenge, kNow + std::chrono::seconds(120)));
}

TEST(Challenges, OfAnotherProcessOrForgedAreNotGood) {
  Challenges challenges;
  Challenges other;
  std::string altered = challenges.Issue(kNow);
  altered[0] = static_cast<char>(altered[0] ^ 1);

  EXPECT_FALSE(challenges.Good(other.Issue(kNow), kNow));
  EXPECT_FALSE(challenges.Good(altered, kNow));
  EXPECT_FALSE(challenges.Good("", kNow));
  EXPECT_FALSE(challenges.Good(std::string(24, 'x'), kNow));
}

}  // namespace
}  // namespace connect_ha
