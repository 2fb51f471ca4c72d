// One visitor at the load balancer, as a browser would be: by libcurl, each request on a connection
// of its own, so that it is not the connection that keeps a session on its node.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace connect_ha {

struct BalancerAnswer {
  std::string node;   // as of BalancerLook.Request
  std::string error;  // "": it was answered
};

// The next request of one visitor, which keeps what cookies it gets; at the latest after `deadline`
// there is an answer.
using BalancerVisitor = std::function<BalancerAnswer(std::chrono::milliseconds deadline)>;
// A new one, without cookies.
using OpenVisitor = std::function<BalancerVisitor(const std::string& url)>;

// `url` is that of load_balancer.
BalancerVisitor AskBalancer(const std::string& url);

// Which node an answer is of: by this header, else by the name of the host that Connect says it
// runs on.
inline constexpr char kNodeHeader[] = "X-Connect-HA-Node";
// Of Connect, answered without a login as far as is known; its "hostname" is that of the machine.
inline constexpr char kHostnamePath[] = "/__api__/server_settings";
// "": it says none.
std::string HostnameIn(const std::string& json);

}  // namespace connect_ha
