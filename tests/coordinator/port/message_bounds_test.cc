#include "coordinator/rpc/message_bounds.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/rpc/methods.h"
#include "coordinator/wire_values.h"

namespace connect_ha {
namespace {

size_t Count(const google::protobuf::Message& message) {
  return CountValues(message.SerializeAsString(), *message.GetDescriptor(), 1'000'000);
}

absl::Status Check(const v1::HeartbeatRequest& request) {
  return CheckBounds(request.SerializeAsString(), *request.GetDescriptor(), HeartbeatBounds());
}

// A field of the given number and wire type 2.
std::string Bytes(int number, const std::string& content) {
  std::string field;
  for (uint64_t varint : {(static_cast<uint64_t>(number) << 3) | 2, uint64_t{content.size()}}) {
    for (; varint >= 0x80; varint >>= 7) field.push_back(static_cast<char>(varint | 0x80));
    field.push_back(static_cast<char>(varint));
  }
  return field + content;
}

// So many bytes, of one value: a field that nobody knows.
std::string OneValue(size_t bytes) {
  const size_t head = Bytes(1000, std::string(bytes, 'x')).size() - bytes;
  return Bytes(1000, std::string(bytes - head, 'x'));
}

std::string Repeat(const std::string& part, size_t times) {
  std::string all;
  all.reserve(part.size() * times);
  for (size_t i = 0; i < times; ++i) all += part;
  return all;
}

TEST(CountValues, CountsAtEveryDepth) {
  v1::HeartbeatRequest request;
  EXPECT_EQ(Count(request), 0u);
  request.set_node("node-1");
  request.set_reported_generation(7);
  request.mutable_facts()->mutable_host()->set_hostname("h");
  request.mutable_facts()->add_runs()->set_probe("p");
  // node, generation, facts, host, its name, one run, its name
  EXPECT_EQ(Count(request), 7u);
}

TEST(CountValues, EndsWhereThereIsTooMuchAndWhereThereIsNoMessage) {
  const auto& facts = *v1::Facts::descriptor();
  const std::string many = Repeat(Bytes(v1::Facts::kRunsFieldNumber, ""), 1000);
  EXPECT_EQ(CountValues(many, facts, 10), 11u);
  EXPECT_EQ(CountValues(many, facts, 5000), 1000u);
  for (const std::string& garbage :
       {std::string(100, '\xff'), std::string("\x0a\x7f"), std::string("\x0f")}) {
    EXPECT_EQ(CountValues(garbage, facts, 5000), 0u);
  }
}

// Made of nothing but lengths: the walk must not go deeper than the stack.
TEST(CountValues, DepthHasAnEnd) {
  const int inside = google::protobuf::DescriptorProto::kNestedTypeFieldNumber;
  std::string nested;
  for (int i = 0; i < 2000; ++i) nested = Bytes(inside, nested);
  EXPECT_LE(CountValues(nested, *google::protobuf::DescriptorProto::descriptor(), 1'000'000), 102u);
}

// The three calls that made a coordinator of 87 MiB one of 927.
TEST(HeartbeatBounds, EmptyProbeRunsAreRefusedUnparsed) {
  const std::string runs = Repeat(Bytes(v1::Facts::kRunsFieldNumber, ""), 1'300'000);
  for (const int field :
       {v1::HeartbeatRequest::kFactsFieldNumber, v1::HeartbeatRequest::kFactsBytesFieldNumber}) {
    const absl::Status status =
        CheckBounds(Bytes(field, runs), *v1::HeartbeatRequest::descriptor(), HeartbeatBounds());
    EXPECT_EQ(status.message(),
              "the report has more values than the limit of 100000\nfix: connect-ha-agent facts "
              "shows what takes so much room");
  }
}

TEST(HeartbeatBounds, FactsMayBeLargeAndTheRestMayNot) {
  v1::HeartbeatRequest request;
  request.set_facts_bytes(OneValue(4 << 20));
  request.set_node(std::string(200'000, 'n'));
  EXPECT_TRUE(Check(request).ok()) << Check(request);

  request.set_facts_bytes(OneValue((4 << 20) + 1));
  EXPECT_TRUE(absl::StrContains(Check(request).message(),
                                "the report has 4194305 bytes, the limit is 4194304"))
      << Check(request);

  request.set_facts_bytes("");
  request.mutable_preview()->set_number(1);
  request.set_node(std::string(262'144, 'n'));
  EXPECT_EQ(Check(request).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(Check(request).message(), "the heartbeat without its facts has"))
      << Check(request);
}

TEST(HeartbeatBounds, FactsThatComeTwiceCountTwice) {
  const std::string half = OneValue(3 << 20);
  const std::string twice = Bytes(v1::HeartbeatRequest::kFactsBytesFieldNumber, half) +
                            Bytes(v1::HeartbeatRequest::kFactsBytesFieldNumber, half);
  const absl::Status status =
      CheckBounds(twice, *v1::HeartbeatRequest::descriptor(), HeartbeatBounds());
  EXPECT_TRUE(absl::StrContains(status.message(), "the report has 6291456 bytes")) << status;
}

// They would be merged into one.
TEST(HeartbeatBounds, FactsInManyPiecesAreCountedTogether) {
  const std::string piece = Repeat(Bytes(v1::Facts::kRunsFieldNumber, ""), 60'000);
  const std::string pieces = Repeat(Bytes(v1::HeartbeatRequest::kFactsFieldNumber, piece), 20);
  const absl::Status status =
      CheckBounds(pieces, *v1::HeartbeatRequest::descriptor(), HeartbeatBounds());
  EXPECT_TRUE(absl::StrContains(status.message(), "more values than the limit of 100000"))
      << status;
}

// Values of a packed field take a byte each, where all others take two.
TEST(HeartbeatBounds, PackedValuesAreCounted) {
  v1::Facts facts;
  v1::Account& account = *facts.mutable_accounts()->add_accounts();
  v1::HeartbeatRequest request;
  const auto check_with = [&](int groups) {
    while (account.groups_size() < groups) account.add_groups(1);
    request.set_facts_bytes(facts.SerializeAsString());
    return Check(request);
  };
  EXPECT_TRUE(check_with(99'000).ok());
  const absl::Status status = check_with(101'000);
  EXPECT_TRUE(absl::StrContains(status.message(), "more values than the limit of 100000"))
      << status;
}

TEST(HeartbeatBounds, ManySmallChangesAreRefusedUnparsed) {
  const std::string changes =
      Repeat(Bytes(v1::HeartbeatRequest::kChangesMadeFieldNumber, ""), 60'000);
  const absl::Status status =
      CheckBounds(changes, *v1::HeartbeatRequest::descriptor(), HeartbeatBounds());
  EXPECT_TRUE(absl::StrContains(status.message(), "more values than the limit of 40000")) << status;
}

TEST(MessageBounds, SmallMessagesNeedNoLook) {
  const MessageBounds bounds;
  EXPECT_TRUE(IsSmall(40'000, bounds));
  EXPECT_FALSE(IsSmall(40'001, bounds));
  MessageBounds few = bounds;
  few.bytes = 1000;
  EXPECT_FALSE(IsSmall(1001, few));
}

}  // namespace
}  // namespace connect_ha
