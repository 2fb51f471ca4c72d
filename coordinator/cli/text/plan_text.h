// What nodes are told to be, and why; what is said loudly of that; and what people said, in words.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/brief.pb.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// "fence"
std::string ActionName(v1::RuleAction action);

// How long a node has been told what it is told: "3h 2m"; "-" where that is not known.
Cell ToldForCell(const v1::NodeSnapshot& node, const google::protobuf::Timestamp& now);
Cell ToldForCell(const v1::NodeBrief& node, const google::protobuf::Timestamp& now);

// Of one node. Both may be "".
struct ToldNode {
  std::string node;
  std::string reason;
  std::string waits_for;
};
// A line for each, those that are told the same together; nothing where nothing is said.
void PrintTold(Terminal& terminal, const std::vector<ToldNode>& told);

// Why the newest decision is not in force; nothing where it is.
void PrintNotInForce(Terminal& terminal, const v1::GetPlanResponse& plan);

// Each with what to type, or what would decide it; nothing where nothing is said.
void PrintSaid(Terminal& terminal, const v1::Decision& decision);

// "drain, now, until 2024-08-01T12:00:00Z"; "waive clocks-are-synchronised, until ...".
std::string WordText(const v1::Word& word);
// What takes it back: "connect-ha node uncordon node-1 --reason TEXT"; "" where it ends by itself
// alone.
std::string TakenBackBy(const v1::Word& word);
// A line for each: who said what of whom, how long ago, why, and what takes it back.
void PrintWords(Terminal& terminal, const v1::GetPlanResponse& plan, Time now);
// "on node-2 until 2024-08-01T12:00:00Z by admin/alice: the clock is moved"
std::string WaiverText(const v1::Waiver& waiver);
// What is waived, by rule, in these words; of an UNFENCE all that fence.
std::multimap<std::string, std::string> Waivers(const v1::GetPlanResponse& plan);
// Each finding with what is waived of its rule.
void AddWaivers(const v1::GetPlanResponse& plan, v1::Checklist& checklist);

// What people said of this node that keeps it from serving; borrows the plan.
std::vector<const v1::Word*> HoldingWords(const v1::GetPlanResponse& plan, const std::string& node);
// Whether somebody did.
bool IsHeldByPerson(const v1::GetPlanResponse& plan, const std::string& node);

}  // namespace connect_ha
