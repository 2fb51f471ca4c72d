// What probes keep from one run to the next, so that a steady pass re-reads only what changed and
// the slow probes (Pace::kVerify) hand their results to the quick ones. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/host/host.h"
#include "agent/probes/connect/restarts.h"
#include "agent/probes/database/verified_chain.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/probes/installed/trial_subject.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// A value that one probe leaves for another.
template <typename T>
class Kept {
 public:
  void Put(T value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    value_ = std::move(value);
  }
  std::optional<T> Get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value_;
  }
  void Forget() {
    const std::lock_guard<std::mutex> lock(mutex_);
    value_.reset();
  }

 private:
  mutable std::mutex mutex_;
  std::optional<T> value_;
};

// Values derived from files, made again when it is not the SameFile.
template <typename T>
class ByFile {
 public:
  // `make` returns StatusOr<T>; its errors and Stat's are returned and not kept. `variant` tells
  // apart several values of one file.
  template <typename Make>
  absl::StatusOr<std::shared_ptr<const T>> Get(Host& host, const std::string& path, Make make,
                                               const std::string& variant = "") {
    const absl::StatusOr<FileStatus> status = host.Stat(path);
    if (!status.ok()) return status.status();
    const std::string key = path + '\0' + variant;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto it = entries_.find(key);
      if (it != entries_.end() && SameFile(it->second.status, *status)) return it->second.value;
    }
    absl::StatusOr<T> made = make();
    if (!made.ok()) return made.status();
    auto value = std::make_shared<const T>(*std::move(made));
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_[key] = {*status, value};
    return value;
  }

 private:
  struct Entry {
    FileStatus status;
    std::shared_ptr<const T> value;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

// The instance metadata of one boot.
struct KeptInstance {
  std::string boot_id;
  v1::InstanceFacts facts;
};

// What the verifying probe found out about Connect's package, of this version.
struct VerifiedConnect {
  std::string package_version;
  absl::StatusOr<v1::Integrity> integrity;
};

// What the verifying probe found out about one runtime, by its executable.
struct VerifiedRuntime {
  FileStatus executable;  // as it was then: another one has not been verified
  absl::StatusOr<std::optional<v1::Package>> package;
  absl::StatusOr<std::optional<v1::Integrity>> integrity;
  absl::StatusOr<v1::SmokeRun> smoke;
  absl::StatusOr<std::string> version;  // what it says of itself
};

// What the running Connect says of itself, asked once per start of its unit.
struct KeptServerVersion {
  Time started_at;
  std::string version;
};

// What Connect's file held last, and when that came into it.
struct KeptContent {
  std::string sha256;
  Time changed_at;
};

// The latest rounds of work on the shared mounts (agent/proof/storage_rounds.h).
struct KeptStorageRounds {
  std::vector<v1::StorageRound> rounds;  // sorted by mount point
  std::string error;                     // why one could not be made; "": all were
};

// The cluster's mark as it was seen last. NotFound: none was there.
using KeptMark = absl::StatusOr<v1::ClusterMark>;

struct ProbeCache {
  // Held while a runtime is tried: two trials at once on a small node end neither in time.
  std::mutex trial;
  KeptTrials trials;
  ByFile<PackageDatabase> packages;
  ByFile<bool> owned_paths;  // of dpkg's .list files, by path
  ByFile<std::string> digests;
  VerifiedFiles verified_files;
  ByFile<std::shared_ptr<VerifiedChain>> verified_chains;  // of CA files; one for each probe
  Kept<KeptInstance> instance;
  Kept<v1::InstanceFacts> notices;  // nothing but these: what EC2 said last
  Kept<KeptServerVersion> server_version;
  Kept<KeptRestarts> restarts;  // of Connect's unit
  Kept<VerifiedConnect> connect;
  Kept<std::map<std::string, VerifiedRuntime>> runtimes;
  Kept<absl::StatusOr<v1::LicenseFacts>> license;
  Kept<KeptContent> configuration;
  Kept<std::string> filled_in;   // SHA-256 of what the file is to hold, when it last held that
  Kept<v1::Reload> reload;       // of Connect, by the agent
  Kept<KeptMark> mark;           // of whoever looks at it: it is on a file system that may hang
  Kept<std::string> mark_fault;  // GuardFacts.mark_fault of the latest look; "": none
  // By mount point, since when it has not answered.
  Kept<std::map<std::string, Time>> silent_mounts;
  // Of the latest round (agent/proof/beacons.h); NotFound: nobody asks for them any more.
  Kept<absl::StatusOr<v1::BeaconsFacts>> beacons;
  Kept<KeptStorageRounds> storage_rounds;
  // Of this node in the database; empty: nobody asked for it.
  Kept<std::optional<v1::PresenceFacts>> presence;
  // The latest look at the others, from which the ages in there count.
  Kept<std::chrono::steady_clock::time_point> presence_looked_at;
};

}  // namespace connect_ha
