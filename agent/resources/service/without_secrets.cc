#include "agent/resources/service/without_secrets.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "agent/resources/secret.h"
#include "common/connect/connect_redaction.h"

namespace connect_ha {
namespace {

constexpr char kMask[] = "***";
// A shorter one is in every other word.
constexpr size_t kShortestSecret = 4;

// One that has lines is printed by its lines.
std::vector<std::pair<std::string, std::string>> Masks(const ResourceContext& context) {
  std::vector<std::pair<std::string, std::string>> masks;
  for (const auto& secret : context.desired.spec().secrets()) {
    const absl::StatusOr<std::string> value = ResolveSecret(context, secret.first);
    if (!value.ok()) continue;
    for (const absl::string_view line : absl::StrSplit(*value, '\n')) {
      if (line.size() >= kShortestSecret) masks.emplace_back(std::string(line), kMask);
    }
  }
  return masks;
}

// The lines of a key say nothing of what they are, and the first or the last may be cut off.
std::vector<std::string> WithoutKeys(const std::vector<std::string>& lines) {
  std::vector<std::string> kept;
  bool in_key = false;
  for (const std::string& line : lines) {
    if (!absl::StrContains(line, "PRIVATE KEY--")) {
      if (!in_key) kept.push_back(line);
      continue;
    }
    const bool begins = absl::StrContains(line, "BEGIN ");
    if (!begins && !in_key) kept.clear();
    if (!in_key) kept.push_back(kMask);
    in_key = begins && !absl::StrContains(line, "END ");
  }
  return kept;
}

}  // namespace

std::string WithoutSecrets(const ResourceContext& context, const std::string& text) {
  std::vector<std::string> lines =
      absl::StrSplit(absl::StrReplaceAll(text, Masks(context)), '\n', absl::SkipWhitespace());
  lines = WithoutKeys(lines);
  for (std::string& line : lines) line = RedactPasswords(line).text;
  return absl::StrJoin(lines, "\n");
}

}  // namespace connect_ha
