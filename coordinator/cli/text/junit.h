#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// A JUnit XML report, one test case a finding: a failure for FAIL, an error for unknown, skipped
// for what does not apply, what follows, and, unless `strict`, advice that does not pass. What
// follows a cause that is in `whole` but not in `checklist` counts as its cause does. What is
// waived counts all the same, and says by whom and until when.
std::string ToJunit(const v1::Checklist& checklist, const v1::Checklist& whole, bool strict);

}  // namespace connect_ha
