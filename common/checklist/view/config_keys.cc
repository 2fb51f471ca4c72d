#include "common/checklist/view/config_keys.h"

#include <string_view>
#include <vector>

namespace connect_ha {
namespace {

ConfigKeyClass ToRow(const ConnectKey& key) {
  const bool plain =
      key.default_value && !key.default_value->empty() && key.default_value->front() != '{';
  return {key.key_class, plain ? key.default_value->c_str() : nullptr};
}

// As ConnectKeys has them.
const std::vector<ConfigKeyClass>& Rows() {
  static const std::vector<ConfigKeyClass> rows = [] {
    std::vector<ConfigKeyClass> made;
    for (const ConnectKey& key : ConnectKeys()) made.push_back(ToRow(key));
    return made;
  }();
  return rows;
}

// Of keys without a line of their own.
const ConfigKeyClass& RowOf(KeyClass key_class) {
  static constexpr ConfigKeyClass kRows[] = {{KeyClass::kMustMatch, nullptr},
                                             {KeyClass::kMayDiffer, nullptr},
                                             {KeyClass::kMustDiffer, nullptr},
                                             {KeyClass::kUnknown, nullptr}};
  for (const ConfigKeyClass& row : kRows) {
    if (row.key_class == key_class) return row;
  }
  return kRows[0];
}

}  // namespace

const ConfigKeyClass& ClassOf(absl::string_view section, absl::string_view name) {
  const std::string_view in(section.data(), section.size());
  const std::string_view of(name.data(), name.size());
  const ConnectKey* known = FindConnectKey(in, of);
  if (known == nullptr) return RowOf(ConnectKeyClass(in, of));
  return Rows()[static_cast<size_t>(known - ConnectKeys().data())];
}

}  // namespace connect_ha
