#include "agent/resources/converge/look.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/connect_unit.h"
#include "common/text/printable.h"

namespace connect_ha {
namespace {

// What a server or a file brings into a message has no end of its own.
constexpr size_t kLongestError = 8 * 1024;
constexpr char kUnitNoun[] = "unit";

std::string Bounded(const std::string& text) {
  if (text.size() <= kLongestError) return Escaped(text);
  return absl::StrCat(Escaped(text.substr(0, kLongestError)), "...");
}

}  // namespace

std::vector<LookedAt> LookAtAll(const std::vector<std::unique_ptr<Resource>>& resources) {
  std::vector<LookedAt> looks;
  for (const std::unique_ptr<Resource>& resource : resources) {
    LookedAt look;
    look.resource = resource.get();
    absl::StatusOr<std::optional<v1::Change>> change = resource->Differs();
    if (!change.ok()) {
      look.status = change.status();
    } else if (change->has_value()) {
      look.change = *std::move(change);
      look.change->set_resource(resource->Name());
      // It is written down as a message, and a message with other texts is not read again.
      look.change->set_from(Escaped(look.change->from()));
      look.change->set_to(Escaped(look.change->to()));
      if (look.change->needs() == v1::Change::NEEDS_UNSPECIFIED) {
        look.change->set_needs(look.change->interrupts().empty() ? v1::Change::NOTHING
                                                                 : v1::Change::RESTART);
      }
    }
    looks.push_back(std::move(look));
  }
  return looks;
}

std::vector<LookedAt> LookAtNode(const ResourceContext& context,
                                 const std::vector<std::unique_ptr<Resource>>& resources) {
  std::vector<LookedAt> looks = LookAtAll(resources);
  if (!IsConnectAbsent(context)) return looks;
  for (LookedAt& look : looks) {
    if (look.change) look.change->set_needs(v1::Change::NOTHING);
  }
  return looks;
}

bool SameChange(const v1::Change& a, const v1::Change& b) {
  return a.resource() == b.resource() && a.from() == b.from() && a.to() == b.to();
}

void SortByNeeds(std::vector<const LookedAt*>& changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const LookedAt* a, const LookedAt* b) {
    return a->change->needs() > b->change->needs();
  });
}

v1::Change::Needs MostNeeded(const google::protobuf::RepeatedPtrField<v1::Change>& changes) {
  v1::Change::Needs most = v1::Change::NOTHING;
  for (const v1::Change& change : changes) most = std::max(most, change.needs());
  return most;
}

bool IsNamed(const std::string& name, const std::string& beginning) {
  return name == beginning || absl::StartsWith(name, beginning + " ");
}

bool IsUnit(const LookedAt& look) { return IsNamed(look.resource->Name(), kUnitNoun); }

bool IsReady(const LookedAt& look, const std::vector<LookedAt>& looks, bool unit_first) {
  std::vector<std::string> after = look.resource->After();
  if (!unit_first) after.erase(std::remove(after.begin(), after.end(), kUnitNoun), after.end());
  return std::none_of(looks.begin(), looks.end(), [&](const LookedAt& other) {
    if (other.resource == look.resource || (other.status.ok() && !other.change)) return false;
    const std::string name = other.resource->Name();
    return std::any_of(after.begin(), after.end(),
                       [&name](const std::string& beginning) { return IsNamed(name, beginning); });
  });
}

bool PassesByItself(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    // A disk that is full: somebody makes room, and tells nobody.
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

v1::Trouble ToTrouble(const std::string& resource, const absl::Status& status) {
  constexpr char kFix[] = "fix: ";
  std::string error(status.message());
  v1::Trouble trouble;
  trouble.set_resource(resource);
  // The last is ours: before it may stand what a program printed, or a file's name. In it may stand
  // a name from the specification, in one line with it.
  const size_t line = error.rfind("\nfix: ");
  const size_t at = line == std::string::npos ? error.rfind(kFix) : line + 1;
  if (at != std::string::npos) {
    trouble.set_fix(Bounded(error.substr(at + sizeof kFix - 1)));
    const size_t end = error.find_last_not_of("\n; ", at - 1);
    error.resize(at == 0 || end == std::string::npos ? 0 : end + 1);
  }
  trouble.set_error(Bounded(error));
  return trouble;
}

v1::Preview ToPreview(const std::vector<LookedAt>& looks) {
  v1::Preview preview;
  for (const LookedAt& look : looks) {
    if (!look.status.ok()) {
      *preview.add_troubles() = ToTrouble(look.resource->Name(), look.status);
    } else if (look.change) {
      *preview.add_changes() = *look.change;
    }
  }
  preview.set_needs(MostNeeded(preview.changes()));
  return preview;
}

}  // namespace connect_ha
