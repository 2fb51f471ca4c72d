#include "agent/resources/storage/mount_plan.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/checklist/rules/storage_options.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

// Of the partitions of AWS that have another one than the first.
std::string DnsSuffix(const std::string& region) {
  if (absl::StartsWith(region, "cn-")) return "amazonaws.com.cn";
  return absl::StartsWith(region, "eusc-") ? "amazonaws.eu" : "amazonaws.com";
}

// What amazon-efs-utils takes before the NFS options. An access point and a sign-in need TLS, which
// it asks to be said.
std::string HelperOptions(const v1::EfsSpec& efs) {
  std::string options = "tls,";
  if (efs.iam()) absl::StrAppend(&options, "iam,");
  if (efs.has_access_point()) absl::StrAppend(&options, "accesspoint=", efs.access_point(), ",");
  if (!efs.region().empty()) absl::StrAppend(&options, "region=", efs.region(), ",");
  return options;
}

absl::Status PlanEfs(const v1::StorageSpec& spec, const std::string& region_here, MountPlan& plan) {
  const v1::EfsSpec& efs = spec.efs();
  const std::string& region = efs.region().empty() ? region_here : efs.region();
  plan.is_efs = true;
  plan.options = EfsOptions();
  plan.server = region.empty()
                    ? efs.file_system()
                    : absl::StrCat(efs.file_system(), ".efs.", region, ".", DnsSuffix(region));
  if (NeedsEfsUtils(spec)) {
    plan.type = "efs";
    plan.source = absl::StrCat(efs.file_system(), ":/");
    plan.options = HelperOptions(efs) + plan.options;
    return absl::OkStatus();
  }
  if (region.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the specification does not say in which region ", efs.file_system(),
        " is, and this node does not know its own\nfix: write storage: {efs: {file_system: ",
        efs.file_system(), ", region: us-east-1}} into cluster.yaml, with its region"));
  }
  plan.type = "nfs4";
  plan.source = plan.server + ":/";
  return absl::OkStatus();
}

absl::Status PlanNfs(const v1::StorageSpec& spec, MountPlan& plan) {
  if (spec.encrypted_in_transit()) {
    return absl::FailedPreconditionError(
        "storage.encrypted_in_transit is asked for, and an NFS server other than EFS is not "
        "mounted "
        "with TLS here\nfix: take encrypted_in_transit out of cluster.yaml");
  }
  const v1::NfsSpec& nfs = spec.nfs();
  plan.server = absl::StrReplaceAll(nfs.server(), {{"[", ""}, {"]", ""}});
  const bool is_ipv6 = absl::StrContains(plan.server, ":");
  plan.source = absl::StrCat(is_ipv6 ? absl::StrCat("[", plan.server, "]") : plan.server, ":",
                             nfs.has_export_() ? nfs.export_() : "/");
  plan.type = "nfs4";
  plan.options = NfsOptions();
  if (nfs.has_port()) {
    plan.port = absl::StrCat(nfs.port());
    absl::StrAppend(&plan.options, ",port=", plan.port);
  }
  return absl::OkStatus();
}

// systemd takes % for the beginning of something else.
std::string Literal(const std::string& text) { return absl::StrReplaceAll(text, {{"%", "%%"}}); }

}  // namespace

bool SaysWhatToMount(const v1::StorageSpec& spec) { return spec.has_efs() || spec.has_nfs(); }

bool NeedsEfsUtils(const v1::StorageSpec& spec) {
  return spec.has_efs() &&
         (spec.encrypted_in_transit() || spec.efs().iam() || spec.efs().has_access_point());
}

absl::StatusOr<MountPlan> MakeMountPlan(const v1::StorageSpec& spec, const std::string& region) {
  MountPlan plan;
  plan.mount_point = spec.mount_point();
  plan.unit = MountUnitName(plan.mount_point);
  plan.port = "2049";
  absl::Status made = spec.has_efs() ? PlanEfs(spec, region, plan) : PlanNfs(spec, plan);
  if (!made.ok()) return made;
  return plan;
}

// The helper may take three minutes (45 s and more, and mount.nfs's own two). Where a boot waits
// for it, it does so beside everything else that does not ask for it.
std::string MountUnitText(const MountPlan& plan) {
  return absl::StrCat(kOwnUnitLine,
                      "[Unit]\n"
                      "Description=Shared storage of Posit Connect\n"
                      "Documentation=man:connect-ha-agent(8)\n"
                      "Wants=network-online.target\n"
                      "After=network-online.target\n"
                      "\n"
                      "[Mount]\n"
                      "What=",
                      Literal(plan.source), "\nWhere=", Literal(plan.mount_point),
                      "\nType=", plan.type, "\nOptions=", Literal(plan.options),
                      "\nTimeoutSec=180\n"
                      "\n"
                      "[Install]\n"
                      "WantedBy=remote-fs.target multi-user.target\n");
}

MountPlan PlanAsFarAsKnown(const v1::StorageSpec& spec) {
  const absl::StatusOr<MountPlan> made = MakeMountPlan(spec, "");
  if (made.ok() && SaysWhatToMount(spec)) return *made;
  MountPlan plan;
  plan.mount_point = spec.mount_point();
  plan.unit = MountUnitName(plan.mount_point);
  plan.is_efs = spec.has_efs();
  plan.server = plan.is_efs ? spec.efs().file_system() : spec.nfs().server();
  if (plan.server.empty()) plan.server = "its server";
  plan.source = absl::StrCat(plan.server, ":/");
  return plan;
}

}  // namespace connect_ha
