// What amazon-efs-utils knows of a mount it made: its source in the mount table is the loopback,
// where the helper's proxy listens, so the file system's id is only in the helper's state.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/host/mounts/mount_table.h"

namespace connect_ha {

struct EfsState {
  std::string file_system;  // fs-0123456789abcdef0
  bool tls = false;
  std::string access_point;  // fsap-...; "" for none
  bool iam = false;          // signed in with the instance's role
};

// From /var/run/efs/FS-ID.MOUNT.POINT.PORT (efs-utils mount_efs/__init__.py): JSON, with the key
// "certificate" where the proxy speaks TLS, then "accessPoint" and, with iam,
// "awsCredentialsMethod". NotFound: the helper did not make this mount.
absl::StatusOr<EfsState> ReadEfsState(Host& host, const MountEntry& mount);

}  // namespace connect_ha
