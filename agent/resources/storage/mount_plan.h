// What is to be mounted, as systemd is told it. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

struct MountPlan {
  std::string mount_point;
  std::string unit;     // mnt-connect.mount
  std::string source;   // fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/
  std::string type;     // nfs4; efs, which amazon-efs-utils mounts
  std::string options;  // nfsvers=4.1,hard,...,_netdev
  std::string server;   // whose name is looked up, without brackets
  std::string port;     // "2049"
  bool is_efs = false;
};

// The specification says which file system is to be mounted.
bool SaysWhatToMount(const v1::StorageSpec& spec);
// It asks for what the kernel cannot do by itself with EFS: TLS, or a sign-in.
bool NeedsEfsUtils(const v1::StorageSpec& spec);

// `region`: the one that this machine is in, for a specification that names none; "": not known.
// FailedPrecondition: something is missing, or cannot be done with such a server.
absl::StatusOr<MountPlan> MakeMountPlan(const v1::StorageSpec& spec, const std::string& region);
// For what is said of a mount that is there: names what it can, without the region.
MountPlan PlanAsFarAsKnown(const v1::StorageSpec& spec);

// The unit's file (systemd.mount(5)).
std::string MountUnitText(const MountPlan& plan);

}  // namespace connect_ha
