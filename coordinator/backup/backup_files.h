// What the coordinator and who runs the command before a migration leave for each other, below
// /run/connect-ha-backup, in memory: a host that is started anew has neither. Two accounts, each
// with a directory that the other only reads; what is in it is looked at as from outside.
//
//   request/run   BackupRequest, of the coordinator
//   result/began  BackupRequest with began_at: it runs, or was ended before it had a result
//   result/run    BackupRun, ended
#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/backup.pb.h"

namespace connect_ha {

inline constexpr char kBackupRoom[] = "/run/connect-ha-backup";

// Whatever a specification says.
inline constexpr std::chrono::seconds kLongestBackup{24 * 60 * 60};

std::string BackupRequestFile(const std::string& room);
std::string BackupBeganFile(const std::string& room);
std::string BackupResultFile(const std::string& room);

// No link is followed, and no more than 64 KiB are read. NotFound: there is none; DataLoss: it is
// no such message.
absl::StatusOr<v1::BackupRequest> ReadBackupRequest(const std::string& path);
absl::StatusOr<v1::BackupRun> ReadBackupRun(const std::string& path);
// Whole or not at all, for the group of the directory to read.
absl::Status WriteBackupNote(const std::string& path, const google::protobuf::Message& note);

// One run is told from another by these.
bool IsSameRun(const v1::BackupRun& a, const v1::BackupRun& b);

}  // namespace connect_ha
