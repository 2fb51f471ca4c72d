#include "agent/probes/database/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <memory>
#include <thread>

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

}  // namespace

Addresses ResolveHost(const std::string& name, std::chrono::milliseconds deadline) {
  std::promise<Addresses> promise;
  std::future<Addresses> result = promise.get_future();
  std::thread([name, promise = std::move(promise)]() mutable {
    promise.set_value(LookUp(name));
  }).detach();
  if (result.wait_for(deadline) != std::future_status::ready) {
    return absl::DeadlineExceededError(
        absl::StrCat("could not resolve \"", name, "\": no answer in ", deadline.count(), " ms"));
  }
  return result.get();
}

}  // namespace connect_ha
