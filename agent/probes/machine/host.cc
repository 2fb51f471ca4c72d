#include "agent/probes/machine/host.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

absl::StatusOr<std::string> ReadOsRelease(Host& host) {
  absl::StatusOr<std::string> text = host.ReadFile("/etc/os-release");
  if (absl::IsNotFound(text.status())) return host.ReadFile("/usr/lib/os-release");
  return text;
}

// dpkg's word for the architecture, translated to uname's.
std::string UnameArchitecture(const std::string& dpkg) {
  if (dpkg == "amd64") return "x86_64";
  if (dpkg == "arm64") return "aarch64";
  return dpkg;
}

// Of the system that is installed, which the package manager itself shows.
absl::StatusOr<std::string> ReadArchitecture(const ProbeInput& input) {
  const auto database = ReadPackages(input.host, input.cache);
  if (!database.ok()) return database.status();
  const v1::Package* dpkg = (*database)->Find("dpkg");
  if (dpkg == nullptr) return absl::NotFoundError("dpkg is not installed");
  return UnameArchitecture(dpkg->architecture());
}

void SetOs(const std::string& text, v1::HostFacts& host) {
  const std::string id = OsReleaseValue(text, "ID");
  const std::string version = OsReleaseValue(text, "VERSION_ID");
  const std::string name = OsReleaseValue(text, "PRETTY_NAME");
  if (!id.empty()) host.set_os_id(id);
  if (!version.empty()) host.set_os_version(version);
  if (!name.empty()) host.set_os_name(name);
}

}  // namespace

std::string OsReleaseValue(absl::string_view text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::StartsWith(line, name) || line.size() <= name.size() || line[name.size()] != '=') {
      continue;
    }
    absl::string_view value = line.substr(name.size() + 1);
    const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                        value.back() == value.front();
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  }
  return "";
}

absl::Status ReadHost(const ProbeInput& input, v1::Facts& facts) {
  v1::HostFacts& host = *facts.mutable_host();
  Observe(facts, "host.hostname", ReadValue(input.host, "/proc/sys/kernel/hostname"),
          [&](const std::string& value) { host.set_hostname(value); });
  const absl::StatusOr<std::string> os = ReadOsRelease(input.host);
  for (const char* field : {"host.os_id", "host.os_version", "host.os_name"}) {
    Observe(facts, field, os, [&](const std::string& text) { SetOs(text, host); });
  }
  Observe(facts, "host.kernel", ReadValue(input.host, "/proc/sys/kernel/osrelease"),
          [&](const std::string& value) { host.set_kernel(value); });
  Observe(facts, "host.architecture", ReadArchitecture(input),
          [&](const std::string& value) { host.set_architecture(value); });
  Observe(facts, "host.machine_id", ReadValue(input.host, "/etc/machine-id"),
          [&](const std::string& value) { host.set_machine_id(value); });
  Observe(facts, "host.boot_id", ReadValue(input.host, "/proc/sys/kernel/random/boot_id"),
          [&](const std::string& value) { host.set_boot_id(value); });
  return absl::OkStatus();
}

}  // namespace connect_ha
