#include "common/spec/signed_spec.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

v1::SpecBundle Bundle() {
  v1::SpecBundle bundle;
  bundle.mutable_spec()->set_cluster("analytics");
  bundle.mutable_spec()->mutable_connect()->set_version("2024.08.0");
  bundle.set_source("cluster: analytics\n");
  bundle.set_connect_config("[Server]\n");
  bundle.set_license("licence");
  return bundle;
}

SigningKey NewKey() { return *ParseSigningKeyFile(*MakeSigningKeyFile()); }

TEST(SignedSpec, SaysAllThatANodeGoesBy) {
  const SigningKey key = NewKey();
  const auto is_signed = SignSpec(ToSign(Bundle(), 7), key);
  ASSERT_TRUE(is_signed.ok()) << is_signed.status();
  EXPECT_EQ(is_signed->public_key(), key.public_key);
  const auto opened = OpenSignedSpec(*is_signed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*opened, ToSign(Bundle(), 7)));
  EXPECT_EQ(opened->cluster(), "analytics");
  EXPECT_EQ(opened->generation(), 7u);
  EXPECT_EQ(opened->connect_config(), "[Server]\n");
  EXPECT_EQ(opened->license(), "licence");
}

TEST(SignedSpec, AChangedOneIsNone) {
  const auto is_signed = SignSpec(ToSign(Bundle(), 7), NewKey());
  for (const int field : {0, 1, 2}) {
    v1::SignedSpec changed = *is_signed;
    std::string& bytes = field == 0   ? *changed.mutable_payload()
                         : field == 1 ? *changed.mutable_public_key()
                                      : *changed.mutable_signature();
    bytes[5] ^= 1;
    EXPECT_TRUE(absl::IsInvalidArgument(OpenSignedSpec(changed).status())) << field;
    bytes.clear();
    EXPECT_TRUE(absl::IsInvalidArgument(OpenSignedSpec(changed).status())) << field;
  }
  EXPECT_FALSE(OpenSignedSpec(v1::SignedSpec()).ok());
}

TEST(SignedSpec, IsBounded) {
  v1::SpecBundle large = Bundle();
  large.set_license(std::string(kMaxSignedBytes, 'x'));
  EXPECT_FALSE(SignSpec(ToSign(large, 7), NewKey()).ok());
}

TEST(SigningKeyFile, IsReadBackAndSaysItsPublicHalf) {
  const std::string file = *MakeSigningKeyFile();
  const auto key = ParseSigningKeyFile(file);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_NE(file.find(PublicKeyLine(key->public_key)), std::string::npos) << "of the public half";
  EXPECT_NE(*MakeSigningKeyFile(), file);
  EXPECT_EQ(key->public_key.size(), 32u);
}

TEST(SigningKeyFile, WhatIsNoneIsRefusedWithoutBeingQuoted) {
  const std::string seed = absl::Base64Escape(std::string(32, 's'));
  for (const std::string& text : {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n"),
                                  absl::StrCat("secret ed25519 ", seed.substr(1), "\n"),
                                  absl::StrCat("secret ed25519 ", seed, "x\n")}) {
    const auto key = ParseSigningKeyFile(text);
    ASSERT_TRUE(absl::IsInvalidArgument(key.status())) << key.status();
    EXPECT_EQ(key.status().message().find(seed.substr(1, 20)), absl::string_view::npos);
  }
}

TEST(PublicKeyLine, IsReadBack) {
  const SigningKey key = NewKey();
  EXPECT_EQ(*ParsePublicKeyLine(PublicKeyLine(key.public_key)), key.public_key);
  std::string without_end = PublicKeyLine(key.public_key);
  without_end.pop_back();
  EXPECT_EQ(*ParsePublicKeyLine(without_end), key.public_key);
}

TEST(PublicKeyLine, WhatIsNoneIsRefused) {
  const std::string line = PublicKeyLine(NewKey().public_key);
  const std::string no_point = absl::Base64Escape(std::string(32, '\0'));
  for (const std::string& text :
       {std::string(), std::string("\n"), line + "more", " " + line, line + line,
        absl::StrCat("ed25519 ", no_point, "\n"), line.substr(0, 20)}) {
    EXPECT_FALSE(ParsePublicKeyLine(text).ok()) << text;
  }
}

}  // namespace
}  // namespace connect_ha
