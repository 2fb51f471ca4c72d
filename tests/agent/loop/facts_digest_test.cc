#include "agent/loop/facts_digest.h"

#include <gtest/gtest.h>

#include <set>

#include "connect_ha/v1/options.pb.h"

namespace connect_ha {
namespace {

v1::Facts SomeFacts() {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  facts.mutable_memory()->set_total_bytes(1000);
  v1::Runtime& runtime = *facts.mutable_runtimes()->add_runtimes();
  runtime.set_executable("/opt/R/4.3.3/bin/R");
  runtime.mutable_smoke()->set_passed(true);
  return facts;
}

TEST(FactsDigest, IsTheSameForTheSameFacts) {
  EXPECT_EQ(FactsDigest(SomeFacts()), FactsDigest(SomeFacts()));
  EXPECT_EQ(FactsDigest(SomeFacts()).size(), 64u);
}

TEST(FactsDigest, LeavesVolatileValuesOutAtAnyDepth) {
  v1::Facts facts = SomeFacts();
  facts.mutable_memory()->set_available_bytes(5);
  facts.mutable_runtimes()->mutable_runtimes(0)->mutable_smoke()->set_duration_us(7);
  facts.add_runs()->set_duration_us(9);
  EXPECT_EQ(FactsDigest(facts), FactsDigest(SomeFacts()));
}

void CollectVolatile(const google::protobuf::Descriptor* type,
                     std::set<const google::protobuf::FieldDescriptor*>& found,
                     std::set<const google::protobuf::Descriptor*>& seen) {
  if (!seen.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->options().GetExtension(v1::volatile_)) found.insert(field);
    if (field->message_type() != nullptr) CollectVolatile(field->message_type(), found, seen);
  }
}

// protobuf 3.12 writes outside of a message when reflection clears a field without presence and
// another field of it is optional.
TEST(FactsDigest, WhatIsLeftOutMayBeCleared) {
  std::set<const google::protobuf::FieldDescriptor*> fields;
  std::set<const google::protobuf::Descriptor*> seen;
  CollectVolatile(v1::Facts::descriptor(), fields, seen);
  EXPECT_GT(fields.size(), 5u);
  for (const auto* field : fields) {
    const bool none_is_optional = field->containing_type()->oneof_decl_count() == 0;
    EXPECT_TRUE(field->is_repeated() || field->containing_oneof() != nullptr || none_is_optional)
        << field->full_name();
  }
}

TEST(FactsDigest, ChangesWithAnyOtherValue) {
  v1::Facts facts = SomeFacts();
  facts.mutable_runtimes()->mutable_runtimes(0)->mutable_smoke()->set_passed(false);
  EXPECT_NE(FactsDigest(facts), FactsDigest(SomeFacts()));
}

TEST(FactsDigest, TellsAbsentFromUnobserved) {
  v1::Facts facts = SomeFacts();
  facts.add_unobserved()->set_path("license");
  EXPECT_NE(FactsDigest(facts), FactsDigest(SomeFacts()));
}

TEST(FactsDigest, LeavesTheFactsAsTheyAre) {
  v1::Facts facts = SomeFacts();
  facts.mutable_memory()->set_available_bytes(5);
  FactsDigest(facts);
  EXPECT_EQ(facts.memory().available_bytes(), 5u);
}

}  // namespace
}  // namespace connect_ha
