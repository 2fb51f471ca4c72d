#include "tests/plan_simulation/content.h"

#include <array>

namespace connect_ha::simulation {
namespace {

constexpr size_t kKeys = 3;

uint32_t Digit(const std::string& text, size_t at) { return static_cast<uint32_t>(text[at] - '0'); }

}  // namespace

Version VersionNamed(const std::string& text) {
  for (Version version = 1; version < kVersions; ++version) {
    if (text == VersionText(version)) return version;
  }
  return 0;
}

Version VersionIn(const v1::ClusterSpec& spec) { return VersionNamed(spec.connect().version()); }

std::string RuntimeText(uint32_t bit) {
  static const auto& texts = *new std::array<std::string, kRuntimes>{"3.11.9", "3.12.4", "3.13.1"};
  return texts[bit % kRuntimes];
}

uint32_t RuntimesIn(const v1::ClusterSpec& spec) {
  uint32_t bits = 0;
  for (const v1::RuntimeSpec& runtime : spec.runtimes().python()) {
    for (uint32_t bit = 0; bit < kRuntimes; ++bit) {
      if (runtime.version() == RuntimeText(bit)) bits |= 1U << bit;
    }
  }
  return bits;
}

void SetRuntimes(uint32_t bits, v1::ClusterSpec& spec) {
  spec.mutable_runtimes()->clear_python();
  for (uint32_t bit = 0; bit < kRuntimes; ++bit) {
    if (((bits >> bit) & 1U) != 0) {
      spec.mutable_runtimes()->add_python()->set_version(RuntimeText(bit));
    }
  }
}

std::string TextOf(const Configuration& configuration) {
  std::string text;
  for (const uint32_t value :
       {configuration.restarts, configuration.reloads, configuration.together}) {
    text.push_back(static_cast<char>('0' + value % 10));
  }
  return text;
}

Wanted WantedBy(const v1::Desired& desired) {
  Wanted wanted;
  wanted.version = VersionIn(desired.spec());
  wanted.runtimes = RuntimesIn(desired.spec());
  // Of a language that it does not speak of nothing is removed.
  wanted.prunes = desired.spec().runtimes().prune() && wanted.runtimes != 0;
  const std::string& text = desired.connect_config();
  if (text.size() == kKeys) wanted.configuration = {Digit(text, 0), Digit(text, 1), Digit(text, 2)};
  return wanted;
}

}  // namespace connect_ha::simulation
