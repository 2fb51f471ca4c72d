#include "common/checklist/view/config_values.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr size_t kDigitsShown = 8;

std::string Name(const std::string& section, const v1::ConfigKey& key, const std::string& name) {
  if (key.subsection().empty()) return absl::StrCat(section, ".", name);
  return absl::StrCat(section, " \"", key.subsection(), "\".", name);
}

}  // namespace

std::string KeyName(const v1::ConfigKey& key) { return Name(key.section(), key, key.name()); }

std::string KeyIdentity(const v1::ConfigKey& key) {
  return Name(absl::AsciiStrToLower(key.section()), key, absl::AsciiStrToLower(key.name()));
}

std::string KeyText(const v1::ConfigKey* key, const char* otherwise) {
  if (key == nullptr) return otherwise == nullptr ? "not set" : otherwise;
  if (key->has_secret_digest()) {
    return absl::StrCat("secret with digest ", FirstCharacters(key->secret_digest(), kDigitsShown));
  }
  const std::string text = absl::StrJoin(key->values(), ", ");
  return text.empty() ? "\"\"" : text;
}

}  // namespace connect_ha
