#include "coordinator/store/tokens.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

bool SameUse(const v1::StoredToken::Use& a, const v1::StoredToken::Use& b) {
  return a.node() == b.node() && a.machine_id() == b.machine_id() &&
         a.public_key_sha256() == b.public_key_sha256();
}

absl::Status Refuse(const v1::Token& token, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("token ", token.id(), " ", why, "\nfix: connect-ha token create"));
}

}  // namespace

absl::StatusOr<bool> RecordTokenUse(v1::StoredToken& stored, const v1::StoredToken::Use& use,
                                    Time now) {
  const bool repeated =
      std::any_of(stored.uses().begin(), stored.uses().end(),
                  [&](const v1::StoredToken::Use& earlier) { return SameUse(earlier, use); });
  if (repeated) return false;
  v1::Token& token = *stored.mutable_token();
  if (token.revoked()) return Refuse(token, "is revoked");
  if (FromProto(token.expires_at()) <= now) {
    return Refuse(token, "expired at " + FormatUtc(FromProto(token.expires_at())));
  }
  if (token.uses_spent() >= token.uses_allowed()) {
    return Refuse(token, absl::StrCat("is used up (", token.uses_allowed(), " of ",
                                      token.uses_allowed(), ")"));
  }
  token.set_uses_spent(token.uses_spent() + 1);
  *stored.add_uses() = use;
  return true;
}

}  // namespace connect_ha
