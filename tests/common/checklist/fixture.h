// Loads the clusters of tests/clusters; fixture.proto says how a file is written.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha::test {

// tests/clusters, in the source tree.
std::string ClustersDirectory();
v1::Snapshot BaseCluster();
// With node-3, which serves, and node-4, which is new and idle.
v1::Snapshot BaseOfFour();
// The nodes that the fixture says are wrong, sorted.
std::set<std::string> WrongNodes(const std::string& file);
// The base with the fixture's changes. Throws std::runtime_error with the file's name when it
// cannot be read: a test cannot go on without.
v1::Snapshot LoadCluster(const std::string& file);

// A fixture of a rule: "storage-options/fail-soft".
struct ClusterFile {
  std::string rule;
  std::string name;  // "fail-soft"

  std::string Path(const std::string& suffix) const;
  // As the name begins: pass, fail or unknown.
  v1::Outcome Promises() const;
};
// Every fixture, sorted.
std::vector<ClusterFile> ClusterFiles();

// Takes what is at `path` ("connect.package", "" for all) out of the facts and lists it as not
// observed.
void MakeUnobserved(v1::Facts& facts, const std::string& path, const std::string& reason);

std::string ToText(const google::protobuf::Message& message);
template <typename T>
T FromFile(const std::string& file);

}  // namespace connect_ha::test
