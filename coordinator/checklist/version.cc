#include "coordinator/checklist/version.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr std::array<absl::string_view, 5> kDistributions = {"ubuntu", "debian", "el", "rhel",
                                                             "deb"};

bool IsDistribution(absl::string_view suffix) {
  return std::any_of(kDistributions.begin(), kDistributions.end(),
                     [suffix](absl::string_view name) { return absl::StartsWith(suffix, name); });
}

bool IsPackageRevision(absl::string_view suffix) {
  return !suffix.empty() && std::all_of(suffix.begin(), suffix.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || c == '.';
  });
}

}  // namespace

std::string PlainVersion(absl::string_view version) {
  absl::ConsumePrefix(&version, "v");
  version = version.substr(0, version.find('+'));
  if (const size_t tilde = version.rfind('~'); tilde != absl::string_view::npos) {
    if (IsDistribution(version.substr(tilde + 1))) version = version.substr(0, tilde);
  }
  if (const size_t dash = version.rfind('-'); dash != absl::string_view::npos) {
    if (IsPackageRevision(version.substr(dash + 1))) version = version.substr(0, dash);
  }
  return std::string(version);
}

bool SameVersion(absl::string_view a, absl::string_view b) {
  const auto without_zeros = [](absl::string_view version) {
    std::vector<std::string> parts = absl::StrSplit(PlainVersion(version), '.');
    for (std::string& part : parts) {
      part.erase(0, std::min(part.find_first_not_of('0'), part.size() - (part.empty() ? 0 : 1)));
    }
    return absl::StrJoin(parts, ".");
  };
  return without_zeros(a) == without_zeros(b);
}

}  // namespace connect_ha
