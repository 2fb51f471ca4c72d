// The example of a specification shows what the rules judge by.
#include <gtest/gtest.h>

#include "connect_ha/v1/spec.pb.h"
#include "coordinator/identity/example_spec.h"

namespace connect_ha {
namespace {

TEST(ExampleSpec, ShowsEveryKeyThatRulesJudgeBy) {
  const std::string example = ExampleSpec("analytics");
  for (const google::protobuf::Descriptor* message :
       {v1::PlatformSpec::descriptor(), v1::AccountSpec::descriptor(),
        v1::StorageSpec::descriptor(), v1::EfsSpec::descriptor(), v1::LimitsSpec::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      const std::string key = message->field(i)->name() + ":";
      EXPECT_NE(example.find(key), std::string::npos) << message->name() << " " << key;
    }
  }
  for (const char* key : {"major_version:", "minimum_minor_version:"}) {
    EXPECT_NE(example.find(key), std::string::npos) << key;
  }
}

}  // namespace
}  // namespace connect_ha
