#include "agent/probes/machine/instance.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/machine/metadata_service.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

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
  const absl::StatusOr<std::string> endpoint = FindMetadataService(input);
  if (absl::IsNotFound(endpoint.status())) return absl::OkStatus();
  if (!endpoint.ok()) return endpoint.status();
  const absl::StatusOr<std::string> boot_id =
      ReadValue(input.host, "/proc/sys/kernel/random/boot_id");
  if (!boot_id.ok()) return boot_id.status();
  const std::optional<KeptInstance> kept = input.cache.instance.Get();
  if (kept && kept->boot_id == *boot_id) {
    *facts.mutable_instance() = kept->facts;
    return absl::OkStatus();
  }

  MetadataService service(input.host, *endpoint);
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
