#include "coordinator/identity/challenges.h"

#include <string_view>

#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kGoodFor{60};
constexpr size_t kTimeSize = 8;
constexpr size_t kNonceSize = 16;
constexpr size_t kBodySize = kTimeSize + kNonceSize;

std::string EncodeTime(Time time) {
  const auto us = static_cast<uint64_t>(time.time_since_epoch().count());
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(us >> shift));
  return bytes;
}

Time DecodeTime(std::string_view bytes) {
  uint64_t us = 0;
  for (const char byte : bytes) us = us << 8 | static_cast<unsigned char>(byte);
  return Time(std::chrono::microseconds(static_cast<int64_t>(us)));
}

}  // namespace

Challenges::Challenges() : key_(RandomBytes(32)) {}

std::string Challenges::Issue(Time now) const {
  const std::string body = EncodeTime(now) + RandomBytes(kNonceSize);
  return body + HmacSha256(key_, body);
}

bool Challenges::Fresh(const std::string& challenge, Time now) const {
  if (challenge.size() <= kBodySize) return false;
  const std::string body = challenge.substr(0, kBodySize);
  if (!ConstantTimeEqual(challenge.substr(kBodySize), HmacSha256(key_, body))) return false;
  const Time issued = DecodeTime(std::string_view(body).substr(0, kTimeSize));
  return now - issued <= kGoodFor && issued - now <= kGoodFor;
}

bool Challenges::Good(const std::string& challenge, Time now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Fresh(challenge, now) && spent_.count(challenge) == 0;
}

bool Challenges::Spend(const std::string& challenge, Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = spent_.begin(); it != spent_.end();) {
    it = Fresh(*it, now) ? std::next(it) : spent_.erase(it);
  }
  return Fresh(challenge, now) && spent_.insert(challenge).second;
}

}  // namespace connect_ha
