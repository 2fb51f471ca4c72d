#include "tests/coordinator/cli/clusters.h"

#include <algorithm>

#include "common/checklist/rule.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

constexpr int kNotSoLongAgo = 45;

void SetSince(v1::Checklist& checklist) {
  const int64_t since = checklist.evaluated_at().seconds() - kNotSoLongAgo;
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    finding.mutable_since()->set_seconds(since);
    for (v1::Evidence& evidence : *finding.mutable_evidence()) {
      evidence.mutable_since()->set_seconds(since);
    }
  }
}

}  // namespace

v1::Snapshot ThreeNodes() {
  v1::Snapshot cluster = test::BaseOfFour();
  cluster.mutable_nodes()->RemoveLast();
  return cluster;
}

v1::NodeSnapshot& NodeOf(v1::Snapshot& cluster, const std::string& name) {
  return *std::find_if(cluster.mutable_nodes()->begin(), cluster.mutable_nodes()->end(),
                       [&name](const v1::NodeSnapshot& node) { return node.name() == name; });
}

void MountALocalDisk(v1::NodeSnapshot& node) {
  for (v1::Mount& mount : *node.mutable_facts()->mutable_storage()->mutable_mounts()) {
    if (mount.mount_point() != "/mnt/connect") continue;
    mount.set_source("/dev/nvme1n1");
    mount.set_fs_type("ext4");
    mount.set_device("259:5");
    mount.clear_super_options();
    mount.add_super_options("rw");
  }
}

void BreakConfiguration(v1::NodeSnapshot& node) {
  v1::ConfigurationFacts& configuration = *node.mutable_facts()->mutable_configuration();
  configuration.clear_keys();
  v1::ConfigError& error = *configuration.add_errors();
  error.set_line(7);
  error.set_column(8);
  error.set_message("a section begins with [ and ends with ]");
}

void NeverReported(v1::NodeSnapshot& node) {
  const std::string name = node.name();
  node.Clear();
  node.set_name(name);
}

void StopConnect(v1::NodeSnapshot& node) {
  v1::ConnectFacts& connect = *node.mutable_facts()->mutable_connect();
  connect.mutable_unit()->set_active_state("inactive");
  connect.mutable_unit()->set_sub_state("dead");
  connect.clear_ping();
  connect.clear_running_version();
}

void FillDisk(v1::NodeSnapshot& node) {
  v1::FileSystemSpace& root = *node.mutable_facts()->mutable_disk()->mutable_file_systems(0);
  root.set_free_bytes(root.size_bytes() / 50);
  root.set_used_percent(98);
}

void OpenConfiguration(v1::NodeSnapshot& node) {
  constexpr uint32_t kReadableByAll = 0644;
  node.mutable_facts()->mutable_configuration()->set_mode(kReadableByAll);
}

v1::Checklist JudgedChecklist(const v1::Snapshot& cluster) {
  v1::Checklist checklist = Evaluate(cluster);
  SetSince(checklist);
  return checklist;
}

void Judged(World& world, const v1::Snapshot& cluster) {
  world.coordinator.snapshot = cluster;
  world.coordinator.checklist = JudgedChecklist(cluster);
}

void JudgedBy(World& world, const v1::Snapshot& cluster, const std::string& rule) {
  Judged(world, cluster);
  auto* findings = world.coordinator.checklist.mutable_findings();
  findings->erase(std::remove_if(findings->begin(), findings->end(),
                                 [&](const v1::Finding& f) { return f.rule() != rule; }),
                  findings->end());
}

void JudgedOf(World& world, const std::string& rule, const std::string& file) {
  JudgedBy(world, test::LoadCluster(test::ClusterFile{rule, file}.Path(".textproto")), rule);
}

void AllPass(World& world) {
  Judged(world, ThreeNodes());
  for (v1::Finding& finding : *world.coordinator.checklist.mutable_findings()) {
    if (finding.outcome() != v1::UNKNOWN && finding.outcome() != v1::FAIL) continue;
    finding.set_outcome(v1::PASS);
    finding.clear_evidence();
    finding.clear_fixes();
  }
}

}  // namespace connect_ha
