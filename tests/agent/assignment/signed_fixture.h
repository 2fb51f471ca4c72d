// Specifications that are signed, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/spec/signed_spec.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

inline SigningKey NewKey() {
  const auto file = MakeSigningKeyFile();
  EXPECT_TRUE(file.ok()) << file.status();
  const auto key = ParseSigningKeyFile(*file);
  EXPECT_TRUE(key.ok()) << key.status();
  return *key;
}

// Of cluster "lab", enforced, with one account.
inline v1::Desired DesiredOfLab(uint64_t generation, uint32_t uid = 999) {
  v1::Desired desired;
  desired.set_generation(generation);
  desired.mutable_spec()->set_cluster("lab");
  desired.mutable_spec()->set_enforcement(v1::ENFORCE);
  (*desired.mutable_spec()->mutable_accounts())["rstudio-connect"].set_uid(uid);
  return desired;
}

// As it is signed, whatever it comes as.
inline v1::SignedSpec Sign(const v1::Desired& desired, const SigningKey& key) {
  v1::SpecBundle bundle;
  *bundle.mutable_spec() = desired.spec();
  if (desired.has_connect_config()) bundle.set_connect_config(desired.connect_config());
  if (desired.has_license()) bundle.set_license(desired.license());
  const auto is_signed = SignSpec(ToSign(bundle, desired.generation()), key);
  EXPECT_TRUE(is_signed.ok()) << is_signed.status();
  return *is_signed;
}

inline v1::Desired SignedOfLab(uint64_t generation, const SigningKey& key, uint32_t uid = 999) {
  v1::Desired desired = DesiredOfLab(generation, uid);
  *desired.mutable_signed_spec() = Sign(desired, key);
  return desired;
}

}  // namespace connect_ha
