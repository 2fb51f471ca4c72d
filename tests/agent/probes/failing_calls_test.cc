// The nth call of the host fails, for every n and every probe: a fact that differs from what an
// undisturbed run reports is then covered by "could not be observed", never absent or a default.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "agent/probes/connect/configuration.h"
#include "agent/probes/table.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsVolatile(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::volatile_);
}

bool IsCovered(const v1::Facts& facts, const std::string& path) {
  for (const v1::Unobserved& entry : facts.unobserved()) {
    if (entry.path() == path || path.rfind(entry.path() + ".", 0) == 0) return true;
  }
  return false;
}

// Something below the path could not be observed: the part is there to say so.
bool HasGaps(const v1::Facts& facts, const std::string& path) {
  for (const v1::Unobserved& entry : facts.unobserved()) {
    if (entry.path().rfind(path + ".", 0) == 0) return true;
  }
  return false;
}

// An HTTP request that fails is itself what was observed: the ping's error says so.
bool SaysSoItself(const Message& message) {
  const auto* ping = dynamic_cast<const v1::Ping*>(&message);
  return ping != nullptr && ping->has_error();
}

// The paths at which `found` differs from `wanted` without saying so.
void Compare(const Message& wanted, const Message& found, const std::string& prefix,
             const v1::Facts& report, std::vector<std::string>& silent) {
  for (int i = 0; i < wanted.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *wanted.GetDescriptor()->field(i);
    const std::string path = prefix.empty() ? field.name() : prefix + "." + field.name();
    if (IsVolatile(field) || path == "unobserved" || IsCovered(report, path)) continue;
    const auto* reflection = wanted.GetReflection();
    if (field.is_repeated()) {
      const int size = reflection->FieldSize(wanted, &field);
      if (size != found.GetReflection()->FieldSize(found, &field)) {
        silent.push_back(path);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        for (int at = 0; at < size; ++at) {
          Compare(reflection->GetRepeatedMessage(wanted, &field, at),
                  reflection->GetRepeatedMessage(found, &field, at), path, report, silent);
        }
      }
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const bool has = reflection->HasField(wanted, &field);
      const Message& value = reflection->GetMessage(found, &field);
      if (SaysSoItself(value)) continue;
      const bool found_has = reflection->HasField(found, &field);
      if (!has && found_has && HasGaps(report, path)) continue;
      if (has != found_has) {
        silent.push_back(path);
      } else if (has) {
        Compare(reflection->GetMessage(wanted, &field), value, path, report, silent);
      }
    } else {
      google::protobuf::util::MessageDifferencer differencer;
      std::unique_ptr<Message> a(wanted.New());
      std::unique_ptr<Message> b(wanted.New());
      a->CopyFrom(wanted);
      b->CopyFrom(found);
      if (!differencer.CompareWithFields(*a, *b, {&field}, {&field})) silent.push_back(path);
    }
  }
}

void Prepare(ProbeBench& bench) {
  absl::StatusOr<ConnectConfig> config = LoadConnectConfig(*bench.host, bench.agent_config);
  if (config.ok()) bench.config = std::make_shared<const ConnectConfig>(*std::move(config));
}

// These ask the database and the kernel, not the host.
bool AsksPastTheHost(const Probe& probe) {
  const std::string name = probe.name;
  return name.find("database") != std::string::npos || name == "listeners";
}

// Runs the probe and, where its noun has a kVerify row, that one before it; `n` counts the calls
// of both.
v1::Facts RunNoun(ProbeBench& bench, const Probe& probe, int n) {
  bench.host->FailCall(n, absl::UnavailableError("injected fault"));
  v1::Facts facts;
  const std::string noun = probe.path;
  for (const Probe& other : Probes()) {
    const std::string path = other.path;
    if (path.substr(0, path.find('.')) == noun) facts.MergeFrom(bench.Run(other.read, other.path));
  }
  bench.host->FailCall(0, absl::OkStatus());
  return facts;
}

class FailingCallsTest : public testing::TestWithParam<const char*> {};

TEST_P(FailingCallsTest, AreNeverReportedAsAbsentOrDefault) {
  const std::string folder = std::string("tests/nodes/") + GetParam();
  for (const Probe& probe : Probes()) {
    if (probe.pace == Pace::kVerify || AsksPastTheHost(probe)) continue;
    ProbeBench undisturbed(FakeHost::FromDirectory(folder));
    Prepare(undisturbed);
    const int before = undisturbed.host->calls();
    const v1::Facts wanted = RunNoun(undisturbed, probe, 0);
    const int calls = undisturbed.host->calls() - before;
    for (int n = 1; n <= calls; ++n) {
      ProbeBench bench(FakeHost::FromDirectory(folder));
      Prepare(bench);
      const v1::Facts found = RunNoun(bench, probe, n);
      std::vector<std::string> silent;
      Compare(wanted, found, "", found, silent);
      EXPECT_EQ(silent, std::vector<std::string>())
          << probe.name << ", call " << n << " of " << calls << ":\n"
          << Text(found);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Nodes, FailingCallsTest,
                         testing::Values("healthy", "bare", "broken", "tended"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace connect_ha
