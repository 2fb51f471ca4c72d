#include "coordinator/plan/move/starts.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"

namespace connect_ha {
namespace {

// After that the others wait no more for what cannot migrate anything.
constexpr std::chrono::minutes kFirstStart{10};

bool Starts(const Member& member, const Decided& decided) {
  return member.stays.empty() && decided.move.state == v1::SERVING &&
         member.position != v1::SERVING && member.node->connect() == v1::CONNECT_RESTS;
}

void Wait(const Member& member, const std::string& what, Decided& decided) {
  decided.move = {member.position, "it is as the specification says", what, {}};
}

void KeepOneVersion(Situation& situation, std::vector<Decided>& decided) {
  std::set<std::string> versions;
  for (size_t i = 0; i < decided.size(); ++i) {
    const Member& member = situation.members[i];
    if (Starts(member, decided[i])) versions.insert(member.node->installed_version());
  }
  if (versions.size() < 2) return;
  for (size_t i = 0; i < decided.size(); ++i) {
    const Member& member = situation.members[i];
    if (!Starts(member, decided[i])) continue;
    Wait(member, "the nodes that are to start to have one version of Connect", decided[i]);
  }
  situation.Say("", "nodes that are to start have several versions of Connect: none does",
                "name one in cluster.yaml (connect.version), then: connect-ha apply");
}

bool Answers(const Member& member) {
  return member.node->fresh() && member.node->brief().facts().answers();
}

// It was told to start, and it is not known yet how that ends. A migration takes as long as it
// takes, and nobody starts beside it.
bool IsStarting(Situation& situation, const v1::DatabaseMemory& database, const Member& member) {
  if (member.position != v1::SERVING || !member.node->fresh() || StartFailed(member)) return false;
  // Where nothing was right with it yet, nobody knows how far the database is.
  const bool is_new = database.right_version().empty() ||
                      IsNewToDatabase(situation, database, VersionOf(*member.node));
  const bool migrates = MayBeMigrating(member) && is_new;
  return migrates || !situation.moments.Lasted(FromProto(member.memory.since()), kFirstStart);
}

// Of them the one that has been a member for longest.
template <typename Is>
const Member* Eldest(const std::vector<Member>& members, const Is& is) {
  const Member* eldest = nullptr;
  for (size_t i = 0; i < members.size(); ++i) {
    const bool older = eldest == nullptr || members[i].node->member() < eldest->node->member();
    if (older && is(i)) eldest = &members[i];
  }
  return eldest;
}

void StartOneFirst(Situation& situation, std::vector<Decided>& decided) {
  const std::vector<Member>& members = situation.members;
  const auto starts = [&](size_t i) { return Starts(members[i], decided[i]); };
  const Member* first = Eldest(members, starts);
  if (first == nullptr || std::any_of(members.begin(), members.end(), Answers)) return;
  const v1::DatabaseMemory database = DatabaseNow(situation);
  const Member* before = Eldest(members, [&](size_t i) {
    return decided[i].move.state == v1::SERVING && IsStarting(situation, database, members[i]);
  });
  if (before != nullptr) first = before;
  for (size_t i = 0; i < decided.size(); ++i) {
    if (&members[i] == first || !starts(i)) continue;
    Wait(members[i],
         absl::StrCat(first->name(), " to answer: a first start of Connect makes the key and the ",
                      "database's tables, and is made on one node alone"),
         decided[i]);
  }
}

// What begins was looked at with nobody running anything, say: that is to be so yet.
void StartNobodyAsBefore(const Situation& situation, std::vector<Decided>& decided) {
  for (size_t i = 0; i < decided.size(); ++i) {
    const Member& member = situation.members[i];
    if (!Starts(member, decided[i])) continue;
    Wait(member,
         absl::StrCat("generation ", situation.input.next().generation(), " to be in force"),
         decided[i]);
  }
}

}  // namespace

void HoldBackStarts(Situation& situation, const Change& change, std::vector<Decided>& decided) {
  if (change.begins(situation.input)) return StartNobodyAsBefore(situation, decided);
  KeepOneVersion(situation, decided);
  StartOneFirst(situation, decided);
}

std::string NoteFirst(const Situation& situation, std::vector<Decided>& decided) {
  const std::string& known = situation.input.memory().database().newest_version();
  std::string note;
  for (size_t i = 0; i < decided.size(); ++i) {
    const Member& member = situation.members[i];
    const std::string& version = member.node->installed_version();
    if (!Starts(member, decided[i]) || version.empty()) continue;
    if (!known.empty() && CompareVersions(version, known) <= 0) continue;
    note = version;
    Wait(member, absl::StrCat("it to be remembered that Connect ", version, " is started"),
         decided[i]);
  }
  return note;
}

}  // namespace connect_ha
