#include "agent/probes/machine/instance.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/probe_cache.h"
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

class MetadataService {
 public:
  MetadataService(Host& host, std::string endpoint) : host_(host), endpoint_(std::move(endpoint)) {
    while (absl::EndsWith(endpoint_, "/")) endpoint_.pop_back();
  }

  // `item` is below /latest/meta-data/. NotFound: this instance has no such item.
  absl::StatusOr<std::string> Get(const std::string& item) {
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

 private:
  absl::StatusOr<HttpResponse> GetOnce(const std::string& item) {
    if (const absl::Status status = GetToken(); !status.ok()) return status;
    HttpRequest request;
    request.url = absl::StrCat(endpoint_, "/latest/meta-data/", item);
    request.headers = {"X-aws-ec2-metadata-token: " + token_};
    request.timeout = kTimeout;
    return host_.Http(request);
  }

  absl::Status GetToken() {
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

  absl::Status Refused(const std::string& item, int status) const {
    return absl::UnavailableError(
        absl::StrCat("the instance metadata service answered ", status, " for ", item));
  }

  Host& host_;
  std::string endpoint_;
  std::string token_;
};

struct Item {
  const char* path;  // {mac}: the first network interface's address
  const char* field;
  void (*set)(v1::InstanceFacts& facts, const std::string& value);
};

constexpr Item kItems[] = {
    {"instance-id", "instance_id", [](auto& facts, auto& v) { facts.set_instance_id(v); }},
    {"instance-type", "instance_type", [](auto& facts, auto& v) { facts.set_instance_type(v); }},
    {"placement/availability-zone", "zone", [](auto& facts, auto& v) { facts.set_zone(v); }},
    {"placement/availability-zone-id", "zone_id",
     [](auto& facts, auto& v) { facts.set_zone_id(v); }},
    {"placement/region", "region", [](auto& facts, auto& v) { facts.set_region(v); }},
    {"network/interfaces/macs/{mac}/subnet-id", "subnet_id",
     [](auto& facts, auto& v) { facts.set_subnet_id(v); }},
    {"network/interfaces/macs/{mac}/vpc-id", "vpc_id",
     [](auto& facts, auto& v) { facts.set_vpc_id(v); }},
    {"instance-life-cycle", "lifecycle", [](auto& facts, auto& v) { facts.set_lifecycle(v); }},
    {"local-ipv4", "local_ipv4", [](auto& facts, auto& v) { facts.set_local_ipv4(v); }},
};

absl::StatusOr<std::string> GetItem(MetadataService& service,
                                    const absl::StatusOr<std::string>& mac,
                                    const std::string& path) {
  const std::vector<std::string> around = absl::StrSplit(path, "{mac}");
  if (around.size() == 1) return service.Get(path);
  if (!mac.ok()) return mac.status();
  return service.Get(around[0] + *mac + around[1]);
}

}  // namespace

absl::Status ReadInstance(const ProbeInput& input, v1::Facts& facts) {
  const std::string endpoint =
      input.agent_config.has_imds_endpoint() ? input.agent_config.imds_endpoint() : kEndpoint;
  const bool forced = endpoint != kEndpoint;
  if (!forced) {
    absl::Status found = FindEc2(input.host);
    if (absl::IsNotFound(found)) return absl::OkStatus();
    if (!found.ok()) return found;
  }
  const absl::StatusOr<std::string> boot_id =
      ReadValue(input.host, "/proc/sys/kernel/random/boot_id");
  if (!boot_id.ok()) return boot_id.status();
  const std::optional<KeptInstance> kept = input.cache.instance.Get();
  if (kept && kept->boot_id == *boot_id) {
    *facts.mutable_instance() = kept->facts;
    return absl::OkStatus();
  }

  MetadataService service(input.host, endpoint);
  const absl::StatusOr<std::string> mac = service.Get("mac");
  if (!mac.ok() && !absl::IsNotFound(mac.status())) return mac.status();
  v1::InstanceFacts& instance = *facts.mutable_instance();
  for (const Item& item : kItems) {
    Observe(facts, absl::StrCat("instance.", item.field), GetItem(service, mac, item.path),
            [&](const std::string& value) { item.set(instance, value); });
  }
  if (facts.unobserved_size() == 0) input.cache.instance.Put({*boot_id, instance});
  return absl::OkStatus();
}

}  // namespace connect_ha
