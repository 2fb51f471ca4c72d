// The paths of facts that rules ask for, and that probes say they could not read, are fields: a
// misspelt one would never be unobserved, and what depends on it would pass.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha::test {
namespace {

bool IsFact(const std::string& path) {
  const google::protobuf::Descriptor* message = v1::Facts::descriptor();
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (const std::string& name : names) {
    const auto* field = message == nullptr ? nullptr : message->FindFieldByName(name);
    if (field == nullptr) return false;
    message = field->message_type();
  }
  return true;
}

// Every string of the sources below `folder` that begins as a noun of the facts does, with a dot
// behind it: "storage.mounts".
std::set<std::string> PathsIn(const std::string& folder) {
  std::set<std::string> nouns;
  for (int i = 0; i < v1::Facts::descriptor()->field_count(); ++i) {
    nouns.insert(v1::Facts::descriptor()->field(i)->name());
  }
  const std::regex text("\"([a-z_]+)\\.([a-z_.]+[a-z])\"");
  std::set<std::string> paths;
  const auto root = std::filesystem::path(CONNECT_HA_SOURCE_DIR) / folder;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".cc") continue;
    std::stringstream source;
    source << std::ifstream(entry.path()).rdbuf();
    const std::string all = source.str();
    for (auto it = std::sregex_iterator(all.begin(), all.end(), text); it != std::sregex_iterator();
         ++it) {
      // A unit's name looks like a path; the traits of `diff` have a name that is no path.
      if (nouns.count((*it)[1]) == 0 || absl::EndsWith((*it)[2].str(), "service")) continue;
      if ((*it)[0] == "\"memory.total\"") continue;
      paths.insert(absl::StrCat((*it)[1].str(), ".", (*it)[2].str()));
    }
  }
  return paths;
}

TEST(Paths, ThatRulesAskForAreFacts) {
  const std::set<std::string> paths = PathsIn("common/checklist");
  EXPECT_GT(paths.size(), 20u);
  for (const std::string& path : paths) EXPECT_TRUE(IsFact(path)) << path;
}

TEST(Paths, ThatProbesCouldNotReadAreFacts) {
  const std::set<std::string> paths = PathsIn("agent/probes");
  EXPECT_GT(paths.size(), 10u);
  for (const std::string& path : paths) EXPECT_TRUE(IsFact(path)) << path;
}

TEST(Paths, AMisspeltOneIsSeen) {
  EXPECT_TRUE(IsFact("storage.mounts.unit"));
  EXPECT_FALSE(IsFact("storage.mount.unit"));
  EXPECT_FALSE(IsFact("connect.package.version.major"));
}

}  // namespace
}  // namespace connect_ha::test
