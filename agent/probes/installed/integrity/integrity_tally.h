// What checking shipped files one by one comes to, as it is reported.
#pragma once

#include <string>

#include "common/time.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

class IntegrityTally {
 public:
  // `fault`: "" for a file that is as shipped, else "changed", "missing" or "explained".
  void Add(const std::string& fault, const std::string& path);
  uint32_t files_checked() const { return integrity_.files_checked(); }
  // With the first few examples by name. Once, at the end.
  v1::Integrity Finish(Time checked_at);

 private:
  v1::Integrity integrity_;
};

}  // namespace connect_ha
