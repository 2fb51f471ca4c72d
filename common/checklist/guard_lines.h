// What stands in a drop-in of Connect's unit so that Connect neither starts nor runs without its
// file systems (systemd.unit(5)). Pure.
//
// BindsTo= with After=, since RequiresMountsFor= alone leaves Connect running, and writing to the
// local disk, after a mount went away.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// In the section [Unit]: "BindsTo=a.mount b.mount" and "After=a.mount b.mount".
std::vector<std::string> MountGuardLines(const std::vector<std::string>& mount_points);

// The drop-in that the agent writes, beside Connect's unit: one file, whatever the mount point.
inline constexpr char kGuardFile[] = "connect-ha-guard.conf";

// In the section [Service]. A program that is not there fails the start.
inline constexpr char kPreflightLine[] = "ExecStartPre=/usr/bin/connect-ha-agent preflight";
// How an entry of Unit.exec_start_pre ends. With more behind it, as --override or --explain, it
// does something else than to keep Connect from starting.
inline constexpr char kPreflightCommand[] = "/connect-ha-agent preflight";

// Of what systemd has in effect: a start of the unit asks for it, and fails where it says no.
bool HasPreflight(const v1::Unit& unit);
// One of a unit's lists, of mounts, units or drop-ins, has this name.
bool Lists(const google::protobuf::RepeatedPtrField<std::string>& list, const std::string& name);

}  // namespace connect_ha
