// For a step that nobody watches, and nobody stops.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "agent/resources/resource.h"

namespace connect_ha {

class NoProgress : public Progress {
 public:
  void Enter(v1::Step::Phase) override {}
  void Bytes(uint64_t, uint64_t) override {}
  void Log(const std::string&) override {}
  bool Stopped() override { return false; }
  bool Wait(std::chrono::milliseconds) override { return true; }
};

}  // namespace connect_ha
