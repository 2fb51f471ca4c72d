#include "common/proof/presence_key.h"

#include <string>

#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

uint32_t KeyOf(const std::string& text) {
  const std::string digest = Sha256("connect-ha presence 1\n" + text);
  uint32_t key = 0;
  for (size_t i = 0; i < sizeof(key); ++i) key = key << 8 | static_cast<unsigned char>(digest[i]);
  return key;
}

}  // namespace

uint32_t PresenceClass(std::string_view cluster) { return KeyOf(std::string(cluster)); }

uint32_t PresenceKey(std::string_view cluster, std::string_view node) {
  return KeyOf(std::string(cluster) + "\n" + std::string(node));
}

}  // namespace connect_ha
