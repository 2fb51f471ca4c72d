#include "agent/probes/machine/metadata_service.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

constexpr char kEndpoint[] = "http://169.254.169.254";
constexpr int kUnauthorized = 401;
constexpr int kNotFound = 404;
constexpr int kOk = 200;
// The service is on the same machine; a request that takes longer than this gets no answer.
constexpr std::chrono::milliseconds kTimeout{1'500};

// Nitro: vendor "Amazon EC2", asset tag "i-...". Xen: a UUID that begins with ec2.
// NotFound: the firmware has none of the tables, or none of them says EC2.
absl::Status FindEc2(Host& host) {
  const std::string directory = "/sys/class/dmi/id/";
  absl::Status failure = absl::NotFoundError("not on EC2");
  for (const char* name : {"sys_vendor", "product_uuid", "board_asset_tag"}) {
    const absl::StatusOr<std::string> value = ReadValue(host, directory + name);
    if (absl::IsNotFound(value.status())) continue;
    if (!value.ok()) {
      failure = value.status();
    } else if (*value == "Amazon EC2" || absl::StartsWithIgnoreCase(*value, "ec2") ||
               absl::StartsWith(*value, "i-")) {
      return absl::OkStatus();
    }
  }
  return failure;
}

absl::Status Refused(const std::string& item, int status) {
  return absl::UnavailableError(
      absl::StrCat("the instance metadata service answered ", status, " for ", item));
}

}  // namespace

absl::StatusOr<std::string> FindMetadataService(const ProbeInput& input) {
  const std::string endpoint =
      input.agent_config.has_imds_endpoint() ? input.agent_config.imds_endpoint() : kEndpoint;
  if (endpoint != kEndpoint) return endpoint;
  absl::Status found = FindEc2(input.host);
  if (!found.ok()) return found;
  return endpoint;
}

MetadataService::MetadataService(Host& host, std::string endpoint)
    : host_(host), endpoint_(std::move(endpoint)) {
  while (absl::EndsWith(endpoint_, "/")) endpoint_.pop_back();
}

absl::StatusOr<std::string> MetadataService::Get(const std::string& item) {
  absl::StatusOr<HttpResponse> response = GetOnce(item);
  if (response.ok() && response->status == kUnauthorized) {
    token_.clear();  // it has expired, or the instance was stopped and started
    response = GetOnce(item);
  }
  if (!response.ok()) return response.status();
  if (response->status == kNotFound) return absl::NotFoundError(item);
  if (response->status != kOk) return Refused(item, response->status);
  return std::string(absl::StripAsciiWhitespace(response->body));
}

absl::StatusOr<HttpResponse> MetadataService::GetOnce(const std::string& item) {
  if (const absl::Status status = GetToken(); !status.ok()) return status;
  HttpRequest request;
  request.url = absl::StrCat(endpoint_, "/latest/meta-data/", item);
  request.headers = {"X-aws-ec2-metadata-token: " + token_};
  request.timeout = kTimeout;
  return host_.Http(request);
}

absl::Status MetadataService::GetToken() {
  if (!token_.empty()) return absl::OkStatus();
  HttpRequest request;
  request.method = "PUT";
  request.url = endpoint_ + "/latest/api/token";
  request.headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"};
  request.timeout = kTimeout;
  const absl::StatusOr<HttpResponse> response = host_.Http(request);
  if (!response.ok()) return response.status();
  if (response->status != kOk) return Refused("api/token", response->status);
  token_ = std::string(absl::StripAsciiWhitespace(response->body));
  return absl::OkStatus();
}

}  // namespace connect_ha
