// A node on which Connect may start: what the preflight's tests start from.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "agent/assignment/assignment_file.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/preflight/preflight.h"
#include "agent/probes/connect/guard.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/test_ca.h"

namespace connect_ha {

inline constexpr char kNodeState[] = "/var/lib/connect-ha-agent";
inline constexpr char kNodeConfig[] = "/etc/rstudio-connect/rstudio-connect.gcfg";

// Another host than FakeHost may be given, which goes on where a test says.
template <typename Machine>
struct GuardedNodeOf {
  GuardedNodeOf() : host(std::make_shared<Machine>()) {
    for (const char* directory : {kNodeState, "/run", "/mnt/connect/data"}) {
      host->SetDirectory(directory);
    }
    host->SetFile("/etc/machine-id", "machine-1\n");
    host->SetFile(std::string(kNodeState) + "/ca.crt", kTestCa);
    host->SetFile(kNodeConfig,
                  "[Server]\nDataDir = /mnt/connect/data\n[Database]\nProvider = SQLite\n");
    SetMounts(
        "50 28 0:52 / /mnt/connect rw,relatime - nfs4 "
        "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/ rw,vers=4.1,hard\n");
    mark.emplace();
    mark->set_cluster("lab");
    mark->set_id(kTestClusterId);
    host->SetWork([this](char operation, const std::string& directory,
                         const std::string&) -> absl::StatusOr<std::string> {
      EXPECT_EQ(operation, kMarkOperation);
      EXPECT_EQ(directory, "/mnt/connect/data");
      if (!mark) return absl::NotFoundError("no mark");
      return mark->SerializeAsString();
    });
    options.agent_config.set_connect_config(kNodeConfig);
    options.agent_config.set_connect_unit("rstudio-connect.service");
    options.agent_config.set_allow(v1::ALLOW_SERVE);
    options.state_dir = kNodeState;
    options.runtime_dir = kRuntimeDirectory;
    options.database_patience = std::chrono::milliseconds(0);
    held.set_cluster("lab");
    held.set_machine_id("machine-1");
    held.set_state(v1::SERVING);
    // The agent was there a moment ago.
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(host->Now().time_since_epoch());
    host->SetFile(std::string(kNodeState) + "/alive", std::to_string(now.count()));
    held.mutable_desired()->set_generation(7);
    spec().set_cluster("lab");
    spec().set_enforcement(v1::ENFORCE);
    spec().mutable_storage()->set_mount_point("/mnt/connect");
    spec().mutable_storage()->mutable_efs()->set_file_system("fs-0123456789abcdef0");
    spec().mutable_storage()->mutable_efs()->set_region("us-east-1");
    Hold();
  }
  v1::ClusterSpec& spec() { return *held.mutable_desired()->mutable_spec(); }
  void Hold() { ASSERT_TRUE(StoreAssignment(*host, kNodeState, held).ok()); }
  // Beside the root disk.
  void SetMounts(const std::string& lines) {
    host->SetFile("/proc/self/mountinfo",
                  "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n" + lines);
  }
  PreflightFinding Look() {
    Whereabouts whereabouts;
    return LookBeforeStart(*host, options, whereabouts);
  }

  std::shared_ptr<Machine> host;
  PreflightOptions options;
  v1::Assignment held;
  std::optional<v1::ClusterMark> mark;  // that the file system bears
};

using GuardedNode = GuardedNodeOf<FakeHost>;

}  // namespace connect_ha
