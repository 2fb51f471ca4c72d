#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// A JUnit XML report, one test case a finding: a failure for FAIL, an error for unknown, skipped
// for what does not apply and, unless `strict`, for advice that does not pass.
std::string ToJunit(const v1::Checklist& checklist, bool strict);

}  // namespace connect_ha
