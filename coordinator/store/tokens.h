#pragma once

#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/store.pb.h"

namespace connect_ha {

// What every store does in SpendToken: adds `use` to `token`, or FailedPrecondition, with what
// to do, when it is expired at `now`, revoked or used up. False: the use repeats an earlier one
// (same key, machine and node: the answer was lost), which succeeds all the same and spends
// nothing.
absl::StatusOr<bool> RecordTokenUse(v1::StoredToken& token, const v1::StoredToken::Use& use,
                                    Time now);

}  // namespace connect_ha
