#include "common/connect/config_check.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/connect/config_value.h"
#include "common/connect/connect_keys.h"

namespace connect_ha {
namespace {

using Kind = ConfigNote::Kind;

// The sections whose keys are all well known: any other key of Connect's is misplaced there.
constexpr const char* kWellKnown[] = {"Server", "Database", "Postgres", "HTTP", "HTTPS"};
// Names that many sections may have.
constexpr const char* kCommonNames[] = {
    "Enabled", "Executable", "Host", "Key",  "Listen",  "Lifetime",    "Password",
    "Port",    "Provider",   "URL",  "User", "Address", "Certificate", "Dir"};

template <size_t kSize>
bool IsAmong(const char* const (&names)[kSize], absl::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](const char* known) { return absl::EqualsIgnoreCase(known, name); });
}

bool IsBare(const GcfgEntry& entry) { return !entry.value; }

// A name that is no key, without a value or with only the = that ends a text in base64, or below a
// secret's key that has no value: it may be that value.
bool MayBeASecret(const GcfgEntry& entry, const GcfgEntry* before) {
  if (FindConnectKey(entry.section, entry.name) != nullptr) return false;
  if (IsBare(entry) || entry.value->find_first_not_of('=') == std::string::npos) return true;
  return before != nullptr && before->value.value_or("").empty() &&
         before->line + 1 == entry.line && IsSecretKey(before->section, before->name);
}

std::string NameOf(const GcfgEntry& entry) { return absl::StrCat(entry.section, ".", entry.name); }

bool HoldsAPlaceholder(absl::string_view value) {
  constexpr const char* kWords[] = {"REPLACEME", "REPLACE_ME", "CHANGEME", "CHANGE_ME"};
  if (value.find("{{") != absl::string_view::npos && value.find("}}") != absl::string_view::npos) {
    return true;
  }
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* word) { return absl::StrContains(value, word); });
}

class Checker {
 public:
  explicit Checker(const GcfgFile& file) : file_(file) {}

  std::vector<ConfigNote> Check() {
    const GcfgEntry* before = nullptr;
    for (const GcfgEntry& entry : file_.entries) {
      CheckEntry(entry, before);
      before = &entry;
    }
    for (const GcfgError& error : file_.errors) {
      notes_.push_back({Kind::kRefused, error.line, error.column, error.message});
    }
    std::stable_sort(notes_.begin(), notes_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(notes_);
  }

 private:
  void Note(Kind kind, const GcfgEntry& entry, std::string message) {
    notes_.push_back({kind, entry.line, entry.column, std::move(message)});
  }

  void CheckEntry(const GcfgEntry& entry, const GcfgEntry* before) {
    if (MayBeASecret(entry, before)) {
      NoteStray(entry);
      return;
    }
    const ConnectKey* key = FindConnectKey(entry.section, entry.name);
    if (key == nullptr) {
      CheckPlace(entry);
    } else if (key->former) {
      Note(Kind::kNotice, entry, absl::StrCat(NameOf(entry), " ", *key->former));
    }
    if (IsBare(entry)) {
      CheckBare(entry, *key);
      return;
    }
    if (HoldsAPlaceholder(*entry.value)) {
      Note(Kind::kMistake, entry,
           absl::StrCat(NameOf(entry), " still has a placeholder; write its value"));
    } else if (key != nullptr && !entry.value->empty()) {
      CheckValue(entry, *key);
    }
    if (entry.cut_by_comment) {
      Note(Kind::kNotice, entry,
           absl::StrCat("the value of ", NameOf(entry),
                        " ends at a ; or #, which begins a comment; if that belongs to the value, "
                        "put the value in double quotes"));
    }
  }

  void NoteStray(const GcfgEntry& entry) {
    if (IsBare(entry)) {
      Note(Kind::kRefused, entry,
           "a name without = that is no key of Connect's; write a value behind its key's =");
    } else {
      Note(Kind::kNotice, entry,
           "not a key of Connect's that is known here, or a value that belongs behind the = of the "
           "line before");
    }
  }

  // What go-gcfg makes of a name alone.
  void CheckBare(const GcfgEntry& entry, const ConnectKey& key) {
    if (key.many) {
      Note(Kind::kNotice, entry,
           absl::StrCat(NameOf(entry), " has no =; Connect forgets the values before this line"));
    } else if (key.type == KeyType::kBool || key.type == KeyType::kUnknown) {
      Note(Kind::kNotice, entry,
           absl::StrCat(NameOf(entry), " has no =; Connect reads it as ", entry.name, " = true"));
    } else {
      Note(Kind::kRefused, entry,
           absl::StrCat(entry.name, " has no =; write ", entry.name, " = and its value"));
    }
  }

  void CheckPlace(const GcfgEntry& entry) {
    if (!entry.subsection.empty()) return;
    const std::vector<std::string> known = ConnectKeyNames(entry.section);
    const std::vector<std::string> sections = SectionsWithKey(entry.name);
    if (known.empty() || sections.empty()) return;
    if (IsAmong(kCommonNames, entry.name) && !IsAmong(kWellKnown, entry.section)) return;
    Note(Kind::kMistake, entry,
         absl::StrCat(entry.section, " has no key ", entry.name, "; put it below [",
                      absl::StrJoin(sections, "] or ["), "]"));
  }

  void CheckValue(const GcfgEntry& entry, const ConnectKey& key) {
    if (key.type == KeyType::kBool && !ReadConfigBool(*entry.value)) {
      Note(Kind::kRefused, entry,
           absl::StrCat(NameOf(entry), " must be true, yes, on, 1, false, no, off or 0"));
    } else if (key.type == KeyType::kDuration && !ReadConfigDuration(*entry.value)) {
      Note(Kind::kMistake, entry,
           absl::StrCat(NameOf(entry), " is not a valid duration; write 30m or 24h, for example"));
    } else if (key.type == KeyType::kSize && !ReadConfigSize(*entry.value)) {
      Note(Kind::kMistake, entry,
           absl::StrCat(NameOf(entry), " is not a valid size; write 5 MB, for example"));
    }
  }

  const GcfgFile& file_;
  std::vector<ConfigNote> notes_;
};

}  // namespace

std::vector<ConfigNote> CheckConnectConfig(const GcfgFile& file) { return Checker(file).Check(); }

std::vector<GcfgEntry> WithoutStraySecrets(const std::vector<GcfgEntry>& entries) {
  std::vector<GcfgEntry> kept;
  const GcfgEntry* before = nullptr;
  for (const GcfgEntry& entry : entries) {
    if (!MayBeASecret(entry, before)) kept.push_back(entry);
    before = &entry;
  }
  return kept;
}

}  // namespace connect_ha
