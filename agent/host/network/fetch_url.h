// The address of a file to fetch.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

struct FetchUrl {
  std::string scheme;  // https, http or file
  std::string host;
  std::string path;   // decoded
  std::string shown;  // for messages: no credentials, no query, no fragment
};

// FailedPrecondition: it is none, or `request` does not allow its scheme.
absl::StatusOr<FetchUrl> ParseFetchUrl(const FetchRequest& request);

// `url` for a message: no credentials, no query, no fragment.
std::string ShownUrl(const std::string& url);

}  // namespace connect_ha
