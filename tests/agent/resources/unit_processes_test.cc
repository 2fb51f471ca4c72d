#include "agent/resources/service/unit_processes.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr char kUnit[] = "rstudio-connect.service";
constexpr char kProcesses[] = "/sys/fs/cgroup/system.slice/rstudio-connect.service/cgroup.procs";

TEST(UnitProcesses, OfWhatRunsForUsersTheTopmostCounts) {
  const std::vector<UnitProcess> processes = {{10, 1, 0},      // Connect
                                              {11, 10, 0},     // a helper of its own
                                              {20, 10, 999},   // R
                                              {21, 20, 999},   // and what that started
                                              {30, 11, 1001},  // Python
                                              {40, 1, 999}};   // whose parent has ended
  EXPECT_EQ(CountJobs(processes), 3u);
  EXPECT_EQ(CountJobs({}), 0u);
}

TEST(UnitProcesses, AreReadFromTheControlGroup) {
  FakeHost host;
  EXPECT_EQ(ReadUnitProcesses(host, kUnit).status().code(), absl::StatusCode::kNotFound);
  host.SetFile(kProcesses, "12\n10\n11\n");
  host.SetFile("/proc/10/status", "Name:\tconnect\nPPid:\t1\nUid:\t0\t0\t0\t0\n");
  host.SetFile("/proc/12/status", "Name:\tR\nPPid:\t10\nUid:\t0\t999\t999\t999\n");
  // 11 has ended meanwhile.
  const auto processes = ReadUnitProcesses(host, kUnit);
  ASSERT_TRUE(processes.ok()) << processes.status();
  ASSERT_EQ(processes->size(), 2u);
  EXPECT_EQ((*processes)[0].id, 10u);
  EXPECT_EQ((*processes)[1].uid, 999u);
  EXPECT_EQ((*processes)[1].parent, 10u);
}

}  // namespace
}  // namespace connect_ha
