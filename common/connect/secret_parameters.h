// NAME=SECRET and NAME: SECRET inside a text: a URL's query, a connection string, a header, JSON.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace connect_ha {

struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

// Where the values are whose names say that they are secret (password, token, api_key, ...). Where
// one ends is in doubt when it is not encoded; then more is taken.
std::vector<TextRange> FindSecretParameters(absl::string_view text);

// Whether a key or parameter of this name holds a secret, by how it ends: ClientSecret, api_key.
bool EndsAsASecret(absl::string_view name);

}  // namespace connect_ha
