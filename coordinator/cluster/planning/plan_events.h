// What a decision changes of what the store has, and what is told of it. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// But for events and audits. `before` is what the store has.
Store::PlanChange ChangeOf(const Store::Plan& before, const v1::Decision& decision);
// Nothing is to be stored.
bool IsEmpty(const Store::Plan& before, const Store::PlanChange& change);
// What the store has once the change is in it.
void TakeIn(const Store::PlanChange& change, const v1::Decision& decision, Store::Plan& plan);

// Each node that is to be another thing than it was, but the first time; each word that ended; a
// backup that ended.
std::vector<v1::Event> EventsOf(const Store::Plan& before, const v1::Decision& decision, Time now);
// What was said lately, and when last; by node and what it is about: its text may have evidence
// that goes on changing.
using SaidKey = std::pair<std::string, std::string>;
using SaidLately = std::map<SaidKey, Time>;
// What the decision says and none did lately: while a report is judged anew nothing is known of its
// node, and what is said of it rests for a moment.
std::vector<v1::Event> SaidNow(const SaidLately& lately, const v1::Decision& decision, Time now);
void TakeInSaid(const v1::Decision& decision, Time now, SaidLately& lately);

}  // namespace connect_ha
