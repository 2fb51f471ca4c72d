#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

constexpr char kNoEffect[] = "is read, but has no effect in this version";

// What enforcing cannot bring about, as nothing says where it comes from.
void AdviseOnRuntimes(const google::protobuf::RepeatedPtrField<v1::RuntimeSpec>& runtimes,
                      const std::string& path, Checker& checker) {
  for (int i = 0; i < runtimes.size(); ++i) {
    if (runtimes[i].has_package() || runtimes[i].has_archive()) continue;
    checker.Warn(absl::StrCat(path, "[", i, "]"),
                 absl::StrCat("(", runtimes[i].version(),
                              ") has no package or archive: it is compared, not installed"));
  }
}

void AdviseOnStorage(const v1::StorageSpec& storage, Checker& checker) {
  if (storage.has_nfs() && storage.encrypted_in_transit()) {
    checker.Warn("storage.encrypted_in_transit",
                 "is not to be had with storage.nfs here: nothing is mounted");
  }
  const bool needs_helper =
      storage.encrypted_in_transit() || storage.efs().iam() || storage.efs().has_access_point();
  if (storage.has_efs() && needs_helper && !storage.has_efs_utils()) {
    checker.Warn("storage.efs",
                 "needs amazon-efs-utils on every node, and storage.efs_utils does not name its "
                 "package");
  }
}

bool HasSomethingToEnforce(const v1::ClusterSpec& spec) {
  return spec.has_connect() || spec.has_runtimes() || spec.accounts_size() > 0 ||
         spec.storage().has_efs() || spec.storage().has_nfs();
}

}  // namespace

void CheckService(const v1::ClusterSpec& spec, Checker& checker) {
  checker.Require(!spec.nodes().has_minimum_serving() || spec.nodes().minimum_serving() > 0,
                  "nodes.minimum_serving", "must be 1 or more");
  constexpr uint32_t kMostFences = 100;
  const uint32_t fences = spec.nodes().fences_per_hour();
  checker.Require(!spec.nodes().has_fences_per_hour() || (fences > 0 && fences <= kMostFences),
                  "nodes.fences_per_hour", absl::StrCat("must be from 1 to ", kMostFences));
  const v1::LoadBalancerSpec& balancer = spec.load_balancer();
  const std::string& url = balancer.url();
  checker.Require(
      url.empty() || absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://"),
      "load_balancer.url", "must be the address of the balancer, https://...");
  checker.Require(!url.empty() || !balancer.sticky(), "load_balancer.sticky",
                  "needs load_balancer.url beside it, through which it is looked at");
  const v1::RolloutSpec& rollout = spec.rollout();
  checker.Require(!rollout.has_drain_timeout() || rollout.drain_timeout().seconds() > 0 ||
                      rollout.drain_timeout().nanos() > 0,
                  "rollout.drain_timeout", "must be longer than 0s");
  constexpr int64_t kLongestDrain = int64_t{24} * 60 * 60;
  checker.Require(rollout.drain_timeout().seconds() <= kLongestDrain, "rollout.drain_timeout",
                  "must be at most 1d");
  checker.Require(!rollout.has_max_unavailable() || rollout.max_unavailable() > 0,
                  "rollout.max_unavailable", "must be 1 or more");
  constexpr uint32_t kMostRestarts = 100;
  checker.Require(rollout.restarts_per_hour() <= kMostRestarts, "rollout.restarts_per_hour",
                  absl::StrCat("must be at most ", kMostRestarts));
}

std::vector<ConfigProblem> AdviseOnClusterSpec(const v1::ClusterSpec& spec, const std::string& file,
                                               const FilePositions& positions) {
  Checker checker(file, positions);
  if (spec.enforcement() == v1::ENFORCE) {
    if (!HasSomethingToEnforce(spec)) {
      checker.Warn("enforcement", "is enforce, and there is nothing to bring the nodes to");
    } else if (!spec.prove().storage() || !spec.prove().database()) {
      checker.Warn("enforcement",
                   "is enforce, and no node enters service before it is proved that all use one "
                   "file system and one database: write prove: {storage: true, database: true}");
    }
    // As agent/resources/table.cc has it.
    if (HasSomethingToEnforce(spec) && spec.storage().mount_point().empty()) {
      checker.Warn("enforcement",
                   "is enforce, and without storage.mount_point no node gets a guard: at a boot, "
                   "and where it restarts Connect, systemd starts it unasked, with no preflight: "
                   "write storage: {mount_point: /mnt/connect}");
    }
    if (spec.connect().has_version() && !spec.connect().has_package()) {
      checker.Warn("connect.version",
                   "has no connect.package beside it: it is compared, not installed");
    }
    AdviseOnStorage(spec.storage(), checker);
    AdviseOnRuntimes(spec.runtimes().r(), "runtimes.r", checker);
    AdviseOnRuntimes(spec.runtimes().python(), "runtimes.python", checker);
    AdviseOnRuntimes(spec.runtimes().quarto(), "runtimes.quarto", checker);
  }
  if (spec.downloads().allow_file()) {
    checker.Note("downloads.allow_file",
                 "goes no further than the directory that each node's own agent.yaml names "
                 "(artifact_dir)");
  }
  if (spec.load_balancer().health_check() == v1::LoadBalancerSpec::CONNECT) {
    checker.Note(
        "load_balancer.health_check",
        "is connect: only a stopped Connect leaves service, and to close a node's gate takes "
        "nothing from it");
  }
  if (spec.database().has_ca_file()) {
    checker.Note("database.ca_file",
                 absl::StrCat(kNoEffect, "; write database_ca_file into agent.yaml on each node"));
  }
  auto problems = checker.TakeProblems();
  SortProblems(problems);
  return problems;
}

}  // namespace connect_ha
