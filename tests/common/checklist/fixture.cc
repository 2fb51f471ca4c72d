#include "tests/common/checklist/fixture.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "absl/strings/match.h"
#include "common/proof/presence_key.h"
#include "tests/common/checklist/fixture.pb.h"
#include "tests/common/checklist/overlay.h"

namespace connect_ha::test {
namespace {

constexpr char kSuffix[] = ".textproto";
constexpr char kExpectedSuffix[] = ".expected.textproto";

v1::NodeSnapshot* FindNode(v1::Snapshot& cluster, const std::string& name) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    if (node.name() == name) return &node;
  }
  return nullptr;
}

bool MakeAbsent(v1::Snapshot& cluster, const std::string& what) {
  const size_t space = what.find(' ');
  const std::string whose = what.substr(0, space);
  if (space == std::string::npos) return Remove(cluster, "nodes[" + whose + "]");
  const std::string path = what.substr(space + 1);
  if (whose == "cluster") return Remove(cluster, path);
  v1::NodeSnapshot* node = FindNode(cluster, whose);
  return node != nullptr && Remove(*node, path);
}

void TakeOutUnobserved(v1::Snapshot& cluster) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    if (!node.has_facts()) continue;
    const auto entries = node.facts().unobserved();
    node.mutable_facts()->clear_unobserved();
    for (const v1::Unobserved& entry : entries) {
      MakeUnobserved(*node.mutable_facts(), entry.path(), entry.reason());
    }
  }
}

// Each writes a nonce that begins with its digit, and sees those of all others.
void MakeSeeEachOther(v1::Snapshot& cluster) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    v1::BeaconDirectory& own = *node.mutable_facts()->mutable_beacons()->mutable_directories(0);
    const v1::SeenBeacon seen = own.seen(0);
    own.set_nonce(std::string(8, node.name().back()) + own.nonce().substr(8));
    own.clear_seen();
    for (const v1::NodeSnapshot& other : cluster.nodes()) {
      if (other.name() == node.name()) continue;
      v1::SeenBeacon& beacon = *own.add_seen();
      beacon = seen;
      beacon.set_node(other.name());
      beacon.set_machine_id(other.facts().host().machine_id());
      beacon.set_nonce(std::string(8, other.name().back()) + seen.nonce().substr(8));
    }
  }
}

}  // namespace

std::string ClustersDirectory() { return std::string(CONNECT_HA_SOURCE_DIR) + "/tests/clusters"; }

template <typename T>
T FromFile(const std::string& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  T message;
  if (!stream || !google::protobuf::TextFormat::ParseFromString(text.str(), &message)) {
    throw std::runtime_error("cannot read " + file);
  }
  return message;
}
template v1::Finding FromFile<v1::Finding>(const std::string& file);

v1::Snapshot BaseCluster() {
  return FromFile<v1::Snapshot>(ClustersDirectory() + "/base.textproto");
}

v1::Snapshot BaseOfFour() {
  v1::Snapshot cluster = BaseCluster();
  for (const char digit : {'3', '4'}) {
    v1::NodeSnapshot node = cluster.nodes(0);
    node.set_name(std::string("node-") + digit);
    v1::HostFacts& host = *node.mutable_facts()->mutable_host();
    host.set_hostname(node.name());
    host.set_machine_id(std::string(32, digit));
    host.set_boot_id(std::string(8, digit) + host.boot_id().substr(8));
    node.mutable_claimants(0)->set_machine_id(host.machine_id());
    node.mutable_claimants(0)->set_boot_id(host.boot_id());
    node.mutable_claimants(0)->set_address(std::string("10.0.1.1") + digit);
    v1::InstanceFacts& instance = *node.mutable_facts()->mutable_instance();
    instance.set_instance_id("i-0000000000000000" + std::string(1, digit));
    instance.set_local_ipv4(node.claimants(0).address());
    *cluster.add_nodes() = node;
  }
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    v1::PresenceFacts& presence = *node.mutable_facts()->mutable_presence();
    presence.set_own_key(PresenceKey(cluster.spec().cluster(), node.name()));
    presence.clear_seen_keys();
    for (const v1::NodeSnapshot& other : cluster.nodes()) {
      presence.add_seen_keys(PresenceKey(cluster.spec().cluster(), other.name()));
    }
    std::sort(presence.mutable_seen_keys()->begin(), presence.mutable_seen_keys()->end());
  }
  MakeSeeEachOther(cluster);
  v1::ConnectFacts& idle = *cluster.mutable_nodes(3)->mutable_facts()->mutable_connect();
  idle.mutable_unit()->set_active_state("inactive");
  idle.mutable_unit()->set_sub_state("dead");
  idle.mutable_unit()->clear_started_at();
  idle.clear_ping();
  idle.clear_running_version();
  return cluster;
}

std::set<std::string> WrongNodes(const std::string& file) {
  const auto fixture = FromFile<Fixture>(file);
  return {fixture.wrong().begin(), fixture.wrong().end()};
}

v1::Snapshot LoadCluster(const std::string& file) {
  const auto fixture = FromFile<Fixture>(file);
  v1::Snapshot cluster = fixture.of_four() ? BaseOfFour() : BaseCluster();
  Overlay(fixture.change(), cluster);
  TakeOutUnobserved(cluster);
  for (const std::string& what : fixture.absent()) {
    if (!MakeAbsent(cluster, what)) {
      throw std::runtime_error(file + ": there is no \"" + what + "\" to take out");
    }
  }
  return cluster;
}

std::string ClusterFile::Path(const std::string& suffix) const {
  return ClustersDirectory() + "/" + rule + "/" + name + suffix;
}

v1::Outcome ClusterFile::Promises() const {
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  std::string word = name.substr(0, name.find('-'));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (word == "NA") return v1::NOT_APPLICABLE;
  v1::Outcome_Parse(word, &outcome);
  return outcome;
}

std::vector<ClusterFile> ClusterFiles() {
  std::vector<ClusterFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ClustersDirectory())) {
    const std::string name = entry.path().filename();
    const std::string rule = entry.path().parent_path().filename();
    if (rule == "clusters" || !absl::EndsWith(name, kSuffix)) continue;
    if (absl::EndsWith(name, kExpectedSuffix)) continue;
    files.push_back({rule, name.substr(0, name.size() - (sizeof kSuffix - 1))});
  }
  std::sort(files.begin(), files.end(), [](const ClusterFile& a, const ClusterFile& b) {
    return std::tie(a.rule, a.name) < std::tie(b.rule, b.name);
  });
  return files;
}

void MakeUnobserved(v1::Facts& facts, const std::string& path, const std::string& reason) {
  if (path.empty()) {
    facts.Clear();
  } else if (!Remove(facts, path)) {
    throw std::runtime_error("there is no fact \"" + path + "\"");
  }
  v1::Unobserved& entry = *facts.add_unobserved();
  entry.set_path(path);
  entry.set_reason(reason);
}

std::string ToText(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

}  // namespace connect_ha::test
