// A file from a server, over http or https (libcurl).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/host/network/fetch_url.h"
#include "agent/host/network/partial_file.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

struct HttpFetch {
  const FetchRequest& request;
  const FetchUrl& url;
  const FetchProgress& progress;
  const std::string& ca_file;  // "": the system's
};

// Asks for what `file` lacks; starts it over when the server does not go on where it ends.
absl::Status FetchHttp(const HttpFetch& fetch, PartialFile& file);

}  // namespace connect_ha
