// What time makes of the nodes: lost ones, conflicts that end, removed ones of which nothing is
// left.
#include <spdlog/spdlog.h>

#include <mutex>
#include <string>
#include <vector>

#include "coordinator/cluster/node/step.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/identity/authority.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kPurgeEvery{24};
constexpr std::chrono::hours kPurgeAgain{1};  // after an error
// Clocks may differ by this where a certificate's end is judged.
constexpr std::chrono::hours kPurgeAllowance{1};

}  // namespace

void Roster::Tick(Time now) {
  std::lock_guard ticking(tick_mutex_);
  const auto stale_after = StaleAfter();
  if (now < started_.load()) started_ = now;
  std::vector<v1::Event> events;
  for (const NodePointer& node : Nodes()) {
    // One that calls right now is neither lost nor left by another machine.
    std::unique_lock call(node->call_mutex, std::try_to_lock);
    if (!call.owns_lock()) continue;
    std::lock_guard lock(node->mutex);
    if (Age(node->known, node->name, stale_after, started_.load(), now, events)) {
      node->changed_at = Changed();
    }
  }
  if (!RecordEvents(events).ok()) TellLossesAgain(events);
  if (now < purge_due_) return;
  Purge(now);
}

// A loss is told once the store has it: after a restart nobody else would know of it.
void Roster::TellLossesAgain(const std::vector<v1::Event>& events) {
  for (const v1::Event& event : events) {
    if (event.kind() != v1::Event::NODE_LOST) continue;
    const NodePointer node = Find(event.node());
    if (node == nullptr) continue;
    std::lock_guard call(node->call_mutex);
    std::lock_guard lock(node->mutex);
    if (node->known.lost) node->known.loss_told = false;
  }
}

void Roster::Purge(Time now) {
  const auto gone = store_.PurgeNodes(now - kCertificateLife - kPurgeAllowance);
  purge_due_ = now + (gone.ok() ? kPurgeEvery : kPurgeAgain);
  if (!gone.ok()) {
    spdlog::error("cannot let go of removed nodes: {}", std::string(gone.status().message()));
    return;
  }
  for (const std::string& name : *gone) LetGo(name);
  if (!gone->empty()) spdlog::info("event=PURGED nodes={}", gone->size());
}

void Roster::LetGo(const std::string& name) {
  const NodePointer node = Find(name);
  if (node == nullptr) return;
  std::lock_guard call(node->call_mutex);
  std::unique_lock map(nodes_mutex_);
  std::lock_guard lock(node->mutex);
  if (!node->known.removed) return;  // it has enrolled again meanwhile
  node->let_go = true;
  nodes_.erase(name);
}

}  // namespace connect_ha
