#include "common/tls/crypto.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

// FIPS 180-4's example, and the empty message.
TEST(CryptoTest, Sha256) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 4231, test cases 2 and 6: a key that is shorter, and one that is longer, than a block.
TEST(CryptoTest, HmacSha256) {
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(KeyedDigestHex(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(CryptoTest, DigestsNeedNoKeyAndNoText) {
  EXPECT_EQ(KeyedDigestHex("", ""),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(CryptoTest, AKeysIdIsTheBeginningOfItsDigest) {
  EXPECT_EQ(DigestKeyId("key"), "2c70e12b7a0646f9");
  EXPECT_EQ(DigestKeyId(""), "");
}

TEST(CryptoTest, RandomBytesDiffer) {
  EXPECT_EQ(RandomBytes(32).size(), 32U);
  EXPECT_NE(RandomBytes(32), RandomBytes(32));
  EXPECT_EQ(RandomBytes(0), "");
}

TEST(CryptoTest, ComparesWholeStrings) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("same", "same"));
  EXPECT_FALSE(ConstantTimeEqual("same", "samE"));
  EXPECT_FALSE(ConstantTimeEqual("same", "same "));
}

}  // namespace
}  // namespace connect_ha
