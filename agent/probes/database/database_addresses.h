// The addresses of a name that has several: each is tried, whichever the login takes. libpq's own
// way would wait at the first that is silent for as long as the whole login may take.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/host/fd.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

class AddressTrial {
 public:
  // Begins a connection to each, and sends nothing; to none where there is one address: the login
  // tells. Numeric addresses.
  AddressTrial(const std::vector<std::string>& addresses, uint32_t port);

  // Where to log in, in the given order: what has connected by the time that one has; all of them
  // where none does within this time.
  std::vector<std::string> Best(std::chrono::milliseconds within);
  // Into facts.tried, in the order of facts.addresses. Waits so long for those that have not said
  // anything yet. After the login: of a single address it is the login's CONNECT that tells.
  void Tell(std::chrono::milliseconds within, v1::DatabaseFacts& facts);

 private:
  struct Try {
    std::string address;
    Fd socket;  // under way, or connected
    bool connected = false;
    std::string error;  // "" while it is under way
    bool IsUnderWay() const { return !connected && error.empty(); }
  };

  static void Begin(uint32_t port, Try& one);
  static void Settle(Try& one);
  void Wait(std::chrono::milliseconds within, bool for_one);

  std::vector<std::string> addresses_;
  std::vector<Try> tries_;  // none for a single address
};

}  // namespace connect_ha
