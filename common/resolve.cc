#include "common/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Addresses = absl::StatusOr<std::vector<std::string>>;

Addresses LookUp(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("could not resolve \"", name, "\": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.emplace_back(text);
    }
  }
  if (addresses.empty()) {
    return absl::UnavailableError(absl::StrCat("could not resolve \"", name, "\": no address"));
  }
  return addresses;
}

// The look-ups under way, by name. Never destroyed: a thread may come back at any time.
struct UnderWay {
  std::mutex mutex;
  std::map<std::string, std::shared_future<Addresses>> by_name;
};
UnderWay& TheLookUps() {
  static UnderWay& look_ups = *new UnderWay;
  return look_ups;
}

// Each is a thread. A node asks for two or three names.
constexpr size_t kMostUnderWay = 8;

absl::StatusOr<std::shared_future<Addresses>> Begin(LookUpHost look_up, const std::string& name) {
  UnderWay& look_ups = TheLookUps();
  const std::lock_guard<std::mutex> lock(look_ups.mutex);
  const auto present = look_ups.by_name.find(name);
  if (present != look_ups.by_name.end()) return present->second;
  if (look_ups.by_name.size() >= kMostUnderWay) {
    return absl::UnavailableError(absl::StrCat("could not resolve \"", name, "\": ", kMostUnderWay,
                                               " earlier look-ups have not ended"));
  }
  auto promise = std::make_shared<std::promise<Addresses>>();
  const std::shared_future<Addresses> result = promise->get_future().share();
  look_ups.by_name.emplace(name, result);
  std::thread([look_up, name, promise] {
    Addresses found = look_up(name);
    {
      const std::lock_guard<std::mutex> ended(TheLookUps().mutex);
      TheLookUps().by_name.erase(name);
    }
    promise->set_value(std::move(found));
  }).detach();
  return result;
}

}  // namespace

Addresses ResolveHostWith(LookUpHost look_up, const std::string& name,
                          std::chrono::milliseconds deadline) {
  const absl::StatusOr<std::shared_future<Addresses>> result = Begin(look_up, name);
  if (!result.ok()) return result.status();
  if (result->wait_for(deadline) != std::future_status::ready) {
    return absl::DeadlineExceededError(
        absl::StrCat("could not resolve \"", name, "\": no answer in ", deadline.count(), " ms"));
  }
  return result->get();
}

Addresses ResolveHost(const std::string& name, std::chrono::milliseconds deadline) {
  return ResolveHostWith(LookUp, name, deadline);
}

}  // namespace connect_ha
