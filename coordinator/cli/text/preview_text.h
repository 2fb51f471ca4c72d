// What nodes would change, for a person to agree to.
#pragma once

#include <string>

#include "common/command/command_line.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// Nodes with the same preview stand together; those that did not answer are named with the reason.
void PrintPreviews(Terminal& terminal, const v1::GetPreviewsResponse& previews);

// "this needs: a rolling restart, about 6 min", "this stops Connect on all nodes": what it is, why,
// how it is begun; why it is refused. Nothing where it asks for nothing.
void PrintOutlook(Terminal& terminal, const v1::Outlook& outlook);

// "before it begins: ". A change that goes from node to node is begun all the same where it only
// waits for --allow-downtime.
bool WaitsOnTheWay(const v1::Outlook& outlook);
std::string BeforeWhat(const v1::Outlook& outlook);
// "connect-ha approve --reason TEXT": what it needs, as it is typed; "": nothing.
std::string NeedsText(const v1::Outlook& outlook);

// How many nodes would change something, and how many are not known.
struct PreviewCounts {
  size_t changing = 0;
  size_t unknown = 0;
};
PreviewCounts CountPreviews(const v1::GetPreviewsResponse& previews);

}  // namespace connect_ha
