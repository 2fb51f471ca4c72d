// Whether installed files are as they were shipped: what the latest verification found, kept so
// that a look does not read every file of every package.
//
// Forget() is called when it is time to verify again and when something on the node changed. Even
// then only files that were touched since they last matched are read (VerifiedFiles).
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/installed/manifest.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Of one thread.
class IntegrityLedger {
 public:
  IntegrityLedger(Host& host, ProbeCache& cache) : host_(host), cache_(cache) {}

  // Nothing checked (files_checked 0) when the package carries no checksums. An error is not kept.
  absl::StatusOr<v1::Integrity> OfPackage(const v1::Package& package);
  absl::StatusOr<v1::Integrity> OfArchive(const std::string& directory, const Manifest& manifest);
  void Forget() { found_.clear(); }

 private:
  Host& host_;
  ProbeCache& cache_;
  std::map<std::string, v1::Integrity> found_;
};

// "" when nothing is wrong, else "2 files changed, 1 missing: changed /opt/..., ...".
std::string DescribeFaults(const v1::Integrity& integrity);

}  // namespace connect_ha
