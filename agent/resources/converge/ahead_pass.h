// For ahead.cc and ahead_report.cc alone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/resources/converge/ahead.h"
#include "agent/resources/converge/step_progress.h"

namespace connect_ha {

// It is made beside everything else, and takes nothing away: an account, an R, Python or Quarto.
bool IsAddition(const LookedAt& look);

// What is known while one call lasts.
struct Ahead::Pass {
  const AheadOrder& order;
  AheadWatch& watch;
  ResourceContext context;
  std::vector<std::unique_ptr<Resource>> resources;
  std::vector<LookedAt> looks;
  std::set<std::string> held;   // names of what the node's own specification asks for
  std::set<std::string> tried;  // names of what was added, or was to be
  std::vector<std::pair<v1::Trouble, bool>> found;  // and whether it passes by itself
  v1::Ahead report;
  std::optional<std::chrono::milliseconds> retry;

  bool WouldAdd(const LookedAt& look) const {
    return order.may_add && look.change && look.change->needs() == v1::Change::NOTHING &&
           IsAddition(look) && held.count(look.resource->Name()) == 0;
  }
  void Found(const std::string& resource, const absl::Status& status) {
    found.emplace_back(ToTrouble(resource, status), PassesByItself(status));
  }
  StepProgress Working(const std::string& resource) {
    const auto publish = [this](const v1::Step& step) {
      v1::Ahead published = report;
      *published.mutable_step() = step;
      watch.Publish(published);
    };
    return StepProgress(publish, resource, context.host.Now(), watch);
  }
};

}  // namespace connect_ha
