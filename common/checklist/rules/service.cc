#include <algorithm>
#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/rules/versions.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// A loop: so many automatic restarts, the last of them within this time.
constexpr uint32_t kRestartsOfALoop = 3;
constexpr std::chrono::minutes kLoopWindow{10};

const char kLogFix[] =
    "on NODE: systemctl status rstudio-connect; journalctl -u rstudio-connect -n 50";

bool IsLooping(const v1::Unit& unit, Time now) {
  if (unit.sub_state() == "auto-restart") return true;
  return unit.restarts() >= kRestartsOfALoop && unit.has_started_at() &&
         now - FromProto(unit.started_at()) < kLoopWindow;
}

// What is wrong with the unit, and what to type; "" when nothing is.
std::pair<std::string, std::string> UnitTrouble(const v1::ConnectFacts& connect,
                                                const std::string& wanted_version, Time now) {
  const v1::Unit& unit = connect.unit();
  if (!connect.has_unit() || unit.load_state() == "not-found") {
    return {"there is no unit rstudio-connect.service",
            connect.has_package() ? "on NODE: apt-get install --reinstall rstudio-connect"
                                  : InstallConnectFix(wanted_version)};
  }
  if (unit.load_state() == "masked") {
    return {"the unit is masked",
            "on NODE: systemctl unmask rstudio-connect && systemctl start rstudio-connect"};
  }
  if (IsLooping(unit, now)) {
    return {absl::StrCat("restarts in a loop (", unit.restarts(), " restarts)"), kLogFix};
  }
  if (unit.active_state() != "active") {
    const std::string sub =
        unit.sub_state() == unit.active_state() ? "" : absl::StrCat(" (", unit.sub_state(), ")");
    return {absl::StrCat("the unit is ", unit.active_state(), sub),
            absl::StrCat(kLogFix, "; systemctl start rstudio-connect")};
  }
  if (unit.unit_file_state() != "enabled") {
    return {absl::StrCat("the unit is ", unit.unit_file_state(), ": a boot does not start it"),
            "on NODE: systemctl enable rstudio-connect"};
  }
  return {"", ""};
}

void JudgePing(const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.ping")) return;
  const v1::Ping& ping = node.facts().connect().ping();
  if (!node.facts().connect().has_ping()) {
    verdict.Unknown(node.name(), "/__ping__ was not asked yet");
  } else if (!ping.has_http_status()) {
    verdict.Fail(node.name(), absl::StrCat("/__ping__ does not answer: ", ping.error()), kLogFix);
  } else if (ping.http_status() != 200) {
    verdict.Fail(node.name(), absl::StrCat("/__ping__ answers ", ping.http_status()), kLogFix);
  } else {
    verdict.Pass(node.name(), "active, enabled, /__ping__ answers 200");
  }
}

// The mount without which Connect must not start; "" when its data is on the root file system.
std::string GuardedMount(const v1::StorageSpec& spec, const v1::DataDirectory& data) {
  // While the file system is not mounted, the directory seems to be on another one.
  if (!spec.mount_point().empty() && IsBelow(data.resolved(), spec.mount_point())) {
    return spec.mount_point();
  }
  return data.mount_point() == "/" ? "" : data.mount_point();
}

bool HasPreflight(const v1::Unit& unit) {
  return std::any_of(unit.exec_start_pre().begin(), unit.exec_start_pre().end(),
                     [](const std::string& command) {
                       return absl::StrContains(command, "connect-ha-agent preflight");
                     });
}

void JudgeGuard(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::DataDirectory* data = FindDirectory(node.facts(), "Server.DataDir");
  if (data == nullptr) return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  const v1::ConnectFacts& connect = node.facts().connect();
  if (!connect.has_unit() || connect.unit().load_state() == "not-found") {
    return verdict.NotApplicable(node.name(), "there is no unit rstudio-connect.service");
  }
  const std::string mount = GuardedMount(spec, *data);
  if (mount.empty()) {
    return verdict.NotApplicable(node.name(), absl::StrCat(data->path(), " is on the root disk"));
  }
  if (!RequiresMount(connect.unit(), mount)) {
    return verdict.Fail(
        node.name(), absl::StrCat("a boot starts Connect without ", mount),
        absl::StrCat("on NODE: mkdir -p /etc/systemd/system/rstudio-connect.service.d && printf "
                     "'[Unit]\\nRequiresMountsFor=",
                     mount,
                     "\\n' > /etc/systemd/system/rstudio-connect.service.d/connect-ha.conf && "
                     "systemctl daemon-reload"));
  }
  verdict.Pass(node.name(),
               absl::StrCat("a boot waits for ", mount, " (RequiresMountsFor)",
                            HasPreflight(connect.unit())
                                ? ", and the preflight looks at it"
                                : "; what is mounted there, nothing looks at before the start"));
}

void JudgeLicense(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::LicenseFacts& license = node.facts().license();
  if (!license.has_status()) {
    if (verdict.Unobserved(node, "connect.package")) return;
    if (node.facts().connect().has_package()) {
      return verdict.Unknown(node.name(), "license-manager was not asked");
    }
    return verdict.NotApplicable(node.name(), "rstudio-connect is not installed");
  }
  const std::string until =
      license.has_days_left() ? absl::StrCat(license.days_left(), " days left") : "no end given";
  const std::string text = absl::StrCat(license.status(), ", ", until);
  if (!absl::EqualsIgnoreCase(license.status(), "Activated")) {
    return verdict.Fail(node.name(), text);
  }
  if (license.has_days_left() && license.days_left() < LicenseDaysLeftLimit(spec)) {
    return verdict.Fail(node.name(),
                        absl::StrCat(text, " (limit ", LicenseDaysLeftLimit(spec), ")"));
  }
  verdict.Pass(node.name(), text);
}

}  // namespace

v1::Finding ServiceIsHealthy(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit")) continue;
    const auto [trouble, fix] = UnitTrouble(
        node.facts().connect(), cluster.spec().connect().version(), FromProto(cluster.taken_at()));
    if (trouble.empty()) {
      JudgePing(node, verdict);
    } else {
      verdict.Fail(node.name(), trouble, fix);
    }
  }
  return verdict.Finish();
}

v1::Finding BootIsGuarded(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    JudgeGuard(cluster.spec().storage(), node, verdict);
  }
  return verdict.Finish();
}

v1::Finding LicenseIsValid(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "license.status") ||
        verdict.Unobserved(node, "license.days_left")) {
      continue;
    }
    JudgeLicense(cluster.spec(), node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
