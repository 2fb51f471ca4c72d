// The resources of a node, one file each; table.cc says which a specification asks for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/resources/resource.h"

namespace connect_ha {

// How the names of resources begin, as a command line's choice.
inline constexpr char kNouns[] =
    "unit|guard|account|packages|package|mount|archive|license|file|directory|mark|versions";

// Connect's unit, as context.service says: stopped and masked, or unmasked, enabled and active.
// Left as it is, it is compared with what it is. FailedPrecondition: Connect runs, and may not be
// stopped; or it did not start, three times.
std::unique_ptr<Resource> MakeConnectUnit(const ResourceContext& context);
// Nothing is left on it of what this agent put there: its mask, and the guard. Connect is neither
// started nor stopped.
std::unique_ptr<Resource> MakeRelease(const ResourceContext& context);
// No package is on hold by this agent; what others put on hold stays so.
std::unique_ptr<Resource> MakePackageRelease(const ResourceContext& context);

// A drop-in of Connect's unit: bound to the mount of the shared file system, with a preflight
// before each start. FailedPrecondition where it would stop a Connect that runs.
std::unique_ptr<Resource> MakeGuard(const ResourceContext& context);
// The drop-in's text. `all_may_speak`: systemd takes the word of each of the unit's processes
// (NotifyAccess=all), and goes on doing so; else it takes the preflight's, and Connect's own.
std::string GuardText(const std::string& mount_point, bool all_may_speak = false);
// The drop-in's file; one of that name may be somebody else's.
std::string GuardFile(const std::string& unit);
bool IsOurGuard(const std::string& text);

// The cluster's mark in Connect's data directory, by which the preflight tells its file system from
// another. FailedPrecondition: it is another cluster's, or was there and is gone.
std::unique_ptr<Resource> MakeMark(const ResourceContext& context);

// A group and a user of one name, with fixed ids. FailedPrecondition, with what is known of the
// files that it would concern, when either has another id or the id has another name: nothing is
// ever renumbered.
std::unique_ptr<Resource> MakeAccount(const ResourceContext& context, const std::string& name,
                                      const v1::AccountSpec& spec);

// No package that another specification had this agent install and that never got so far; but of
// the one beside.
std::unique_ptr<Resource> MakeLeftovers(const ResourceContext& context);

// A .deb: installed, configured, held, its files as shipped.
struct PackageWanted {
  std::string name;     // rstudio-connect, r-4.3.3
  std::string version;  // that the package must be of; "" where its name says it
  v1::Artifact artifact;
  bool allow_downgrade = false;
  std::string interrupts;
  std::vector<std::string> after;  // as Resource::After
};
std::unique_ptr<Resource> MakePackage(const ResourceContext& context, PackageWanted wanted);

// The shared file system: a unit's file of ours, by which PID 1 mounts it, now and with the
// machine. What is mounted otherwise is never touched, but for options, while nothing uses it.
std::unique_ptr<Resource> MakeMount(const ResourceContext& context);

// Connect's data directory on it, with the owner and mode that the specification says. Only made:
// where there is something in it, another owner or mode is FailedPrecondition.
std::unique_ptr<Resource> MakeDataDirectory(const ResourceContext& context);

// Quarto: /opt/quarto/VERSION from its archive, with a manifest beside it (probes/manifest.h).
std::unique_ptr<Resource> MakeArchive(const ResourceContext& context, const v1::RuntimeSpec& spec);

// /var/lib/rstudio-connect/NAME.lic, root's alone, and no other *.lic beside it.
std::unique_ptr<Resource> MakeLicense(const ResourceContext& context);

// Connect's configuration file, rendered for this node. A change names keys, and the
// values of those that are not secret.
std::unique_ptr<Resource> MakeConfiguration(const ResourceContext& context);

// No version under /opt/R, /opt/python and /opt/quarto but those that the specification names, or
// the one beside; a kind that it gives no list of is left alone. FailedPrecondition: Connect's
// configuration names what would go, content is pinned to it, or whether it is is not known.
std::unique_ptr<Resource> MakePrune(const ResourceContext& context);

}  // namespace connect_ha
