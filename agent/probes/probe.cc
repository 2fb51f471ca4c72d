#include "agent/probes/probe.h"

namespace connect_ha {

void MarkUnobserved(v1::Facts& facts, const std::string& path, const std::string& reason) {
  v1::Unobserved& entry = *facts.add_unobserved();
  entry.set_path(path);
  entry.set_reason(reason);
}

void MarkPending(v1::Facts& facts, const std::string& path, const std::string& reason) {
  MarkUnobserved(facts, path, reason);
  facts.mutable_unobserved(facts.unobserved_size() - 1)->set_pending(true);
}

}  // namespace connect_ha
