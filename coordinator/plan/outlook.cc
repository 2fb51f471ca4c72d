#include "coordinator/plan/outlook.h"

#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"
#include "coordinator/plan/next/outlook_of.h"

namespace connect_ha {

v1::Outlook LookAhead(const v1::PlanInput& input) {
  const Situation situation = LookAt(input);
  return OutlookOf(situation, KindOfNext(situation));
}

}  // namespace connect_ha
