#include "agent/loop/report_limit.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "agent/probes/probe.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

constexpr double kMiB = 1024.0 * 1024.0;

// Every part of Facts is a message.
size_t SizeOf(const v1::Facts& facts, const FieldDescriptor* part) {
  const Reflection& reflection = *facts.GetReflection();
  if (!part->is_repeated()) return reflection.GetMessage(facts, part).ByteSizeLong();
  size_t size = 0;
  for (int i = 0; i < reflection.FieldSize(facts, part); ++i) {
    size += reflection.GetRepeatedMessage(facts, part, i).ByteSizeLong();
  }
  return size;
}

std::string LargestPart(const v1::Facts& facts) {
  std::vector<const FieldDescriptor*> parts;
  facts.GetReflection()->ListFields(facts, &parts);
  std::pair<size_t, std::string> largest;
  for (const FieldDescriptor* part : parts) {
    largest = std::max(largest, {SizeOf(facts, part), part->name()});
  }
  return largest.second;
}

}  // namespace

v1::Facts LimitReport(v1::Facts facts, size_t limit) {
  const size_t size = facts.ByteSizeLong();
  if (size <= limit) return facts;
  v1::Facts none;
  MarkUnobserved(none, "",
                 absl::StrFormat("the report is too large (%.1f MiB, the limit is %.1f MiB), most "
                                 "of it %s: see connect-ha-agent facts on this node",
                                 static_cast<double>(size) / kMiB,
                                 static_cast<double>(limit) / kMiB, LargestPart(facts)));
  return none;
}

}  // namespace connect_ha
