// What the coordinator and who runs its backups share, and a directory of commands, for a test.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/time.h"
#include "coordinator/backup/backup_runner.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

struct BackupRoom {
  BackupRoom() {
    for (const char* name : {"request", "result", "commands"}) {
      std::filesystem::create_directory(directory / name);
      // Whatever the umask is.
      EXPECT_EQ(chmod((directory / name).c_str(), 0755), 0);
    }
    options.room = directory.path();
    options.commands = directory / "commands";
    options.owner = geteuid();
    options.environment = {"PATH=/usr/bin:/bin", "CONNECT_HA_CLUSTER=of-the-unit"};
    options.now = [this] { return now; };
  }
  // A program that the specification may name; `script` is a shell's.
  void Put(const std::string& name, const std::string& script, mode_t mode = 0755) {
    directory.Write("commands/" + name, "#!/bin/sh\n" + script);
    EXPECT_EQ(chmod((directory / ("commands/" + name)).c_str(), mode), 0);
  }
  v1::BackupRequest Request(const std::string& command) {
    v1::BackupRequest request;
    request.mutable_run()->set_generation(8);
    *request.mutable_run()->mutable_asked_at() = ToProto(now);
    request.set_cluster("lab");
    request.set_version("2024.08.0");
    request.set_command(command);
    request.mutable_deadline()->set_seconds(60);
    return request;
  }
  void Ask(const v1::BackupRequest& request) {
    EXPECT_TRUE(WriteBackupNote(BackupRequestFile(options.room), request).ok());
  }

  TemporaryDirectory directory;
  Time now{std::chrono::seconds(1'800'000'000)};
  BackupRunnerOptions options;
};

}  // namespace connect_ha
