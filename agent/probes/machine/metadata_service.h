// EC2's instance metadata service, version 2.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Where it answers. NotFound: this machine is none of EC2's, and the agent's settings name nothing
// else. An error: that cannot be told.
absl::StatusOr<std::string> FindMetadataService(const ProbeInput& input);

class MetadataService {
 public:
  MetadataService(Host& host, std::string endpoint);

  // `item` is below /latest/meta-data/. NotFound: this instance has no such item.
  absl::StatusOr<std::string> Get(const std::string& item);

 private:
  absl::StatusOr<HttpResponse> GetOnce(const std::string& item);
  absl::Status GetToken();

  Host& host_;
  std::string endpoint_;
  std::string token_;
};

}  // namespace connect_ha
