// A node that is to have one thing or another of its specification, and its agent.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {

class NounsTest : public testing::Test {
 protected:
  NounsTest() : agent_(node_) {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_enforcement(v1::ENFORCE);
  }
  v1::Desired& desired() { return *assignment_.mutable_desired(); }
  v1::ClusterSpec& spec() { return *desired().mutable_spec(); }
  v1::AccountSpec& account() { return (*spec().mutable_accounts())["rstudio-connect"]; }
  std::string Turn() {
    agent_.converge.VerifyAgain();
    agent_.converge.TryAgain();
    agent_.converge.Turn(assignment_, watch_);
    return Describe(watch_.last());
  }
  v1::Change last_change() const { return agent_.journal.Pending(100).back().change(); }
  // What the files hold that were replaced.
  std::vector<std::string> Kept(const std::string& folder) {
    std::vector<std::string> contents;
    const std::string directory = absl::StrCat(kStateDir, "/", folder);
    const auto names = node_.host.ListDirectory(directory);
    if (!names.ok()) return contents;
    for (const std::string& name : *names) {
      contents.push_back(*node_.host.ReadFile(absl::StrCat(directory, "/", name)));
    }
    return contents;
  }
  void SetUser(uint32_t uid, uint32_t gid) {
    UserEntry user;
    user.name = "rstudio-connect";
    user.uid = uid;
    user.gid = gid;
    node_.host.SetUser(user);
  }

  BareNode node_;
  v1::Assignment assignment_;
  Agent agent_;
  TestWatch watch_{node_.host};
};

}  // namespace connect_ha
