#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// What a checklist says of a rule; null when it says nothing of it.
inline const v1::Finding* FindingOf(const v1::Checklist& checklist, const std::string& rule) {
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.rule() == rule) return &finding;
  }
  return nullptr;
}

}  // namespace connect_ha
