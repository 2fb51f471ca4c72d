// Connect's unit on a bare node, and what the agent has noted of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "agent/resources/service/start_connect.h"
#include "common/time.h"
#include "tests/agent/resources/bare_node.h"
#include "tests/fakes/no_progress.h"

namespace connect_ha {

inline constexpr char kNotes[] = "/var/lib/connect-ha-agent/service";
inline constexpr char kPreflight[] = "/usr/bin/connect-ha-agent preflight";

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { SetUnit("inactive", "enabled"); }

  void SetUnit(const std::string& active, const std::string& file) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    unit.set_unit_file_state(file);
    unit.add_exec_start_pre(kPreflight);
    node_.host.SetUnit(unit);
  }
  // Each start comes to this.
  void StartsFail() {
    node_.host.SetUnitEffects(
        kUnit, [this](FakeHost&) { SetUnit("failed", "enabled"); }, nullptr);
  }
  // It has ended, and systemd has started it again so often; looked at.
  void SetRestarting(uint32_t restarts, v1::NodeState told = v1::SERVING) {
    SetUnit("activating", "enabled");
    v1::Unit unit = *node_.host.ReadUnit(kUnit);
    unit.set_sub_state("auto-restart");
    unit.set_restarts(restarts);
    *unit.mutable_started_at() = started_at_;
    node_.host.SetUnit(unit);
    ASSERT_TRUE(NoteTries(Context(), unit, told, seen_).ok());
  }
  void SetProcess(uint32_t id, uint32_t parent, uint32_t uid) {
    node_.host.SetFile(
        absl::StrCat("/proc/", id, "/status"),
        absl::StrCat("Name:\tx\nPPid:\t", parent, "\nUid:\t0\t", uid, "\t", uid, "\t", uid, "\n"));
  }
  ResourceContext Context() {
    ResourceContext context = {node_.host,
                               cache_,
                               integrity_,
                               desired_,
                               options_.agent_config,
                               options_.node,
                               options_.state_dir,
                               options_.cache_dir,
                               "",
                               options_.digest_key,
                               &notes_};
    context.service = order_;
    return context;
  }
  // What it says; "" where it is so.
  std::string Differs() {
    const ResourceContext context = Context();
    const auto change = MakeConnectUnit(context)->Differs();
    if (!change.ok()) return absl::StrCat("error: ", change.status().message());
    return change->has_value() ? absl::StrCat((*change)->from(), " -> ", (*change)->to()) : "";
  }
  absl::Status Apply() {
    const ResourceContext context = Context();
    return MakeConnectUnit(context)->Apply(progress_);
  }
  void Order(UnitWanted unit, uint64_t serial = 1) {
    order_.unit = unit;
    order_.order.set_lineage("L");
    order_.order.set_epoch(1);
    order_.order.set_serial(serial);
  }
  // Changes of units alone.
  std::string Changes() {
    std::vector<std::string> changes;
    for (const std::string& change : node_.host.changes()) {
      if (absl::StrContains(change, "Unit ")) changes.push_back(change.substr(0, change.find(' ')));
    }
    return absl::StrJoin(changes, " ");
  }
  int Starts() {
    const std::vector<std::string> changes = node_.host.changes();
    return static_cast<int>(
        std::count(changes.begin(), changes.end(), absl::StrCat("StartUnit ", kUnit)));
  }

  BareNode node_;
  ProbeCache cache_;
  IntegrityLedger integrity_{node_.host, cache_};
  v1::Desired desired_;
  const ConvergeOptions options_ = node_.Options();
  ServiceNotes notes_{node_.host, kNotes};
  ServiceOrder order_;
  NoProgress progress_;
  const google::protobuf::Timestamp started_at_ = ToProto(node_.host.Now());
  std::optional<uint32_t> seen_;
};

}  // namespace connect_ha
