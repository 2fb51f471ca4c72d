// How long a fact must have been so before it counts, where it can flap.
#pragma once

#include <chrono>
#include <string>

#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// How long the rule must have failed on a node before it acts there.
std::chrono::microseconds FailAfter(const v1::ClusterSpec& spec, const std::string& rule);
// How long it must have held before the node comes back.
std::chrono::microseconds PassAfter(const v1::ClusterSpec& spec, const std::string& rule);

}  // namespace connect_ha
