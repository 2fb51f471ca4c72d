#include "coordinator/cluster/node/node_events.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

std::string Span(int64_t us) { return FormatSpan(std::chrono::microseconds(us)); }

}  // namespace

v1::Event MakeEvent(v1::Event::Kind kind, const std::string& node, const std::string& text,
                    Time now) {
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(kind);
  event.set_node(node);
  event.set_actor("coordinator");
  event.set_text(ShortText(text, kTextBytes));
  return event;
}

v1::Event MakeChangeEvent(const std::string& node, const v1::ChangeMade& made, Time now) {
  v1::Event event = MakeEvent(v1::Event::RESOURCE_CHANGED, node, ChangeText(made),
                              made.has_at() ? std::min(FromProto(made.at()), now) : now);
  event.set_actor(absl::StrCat("node/", node));
  return event;
}

std::string StateName(v1::NodeState state) {
  return absl::AsciiStrToLower(v1::NodeState_Name(state));
}

std::string ConvergenceText(const v1::Convergence& convergence) {
  std::string text =
      absl::StrCat("generation ", convergence.generation(), ": ",
                   absl::AsciiStrToLower(v1::Convergence::State_Name(convergence.state())));
  if (convergence.troubles_size() > 0) {
    const v1::Trouble& trouble = convergence.troubles(0);
    absl::StrAppend(&text, ": ", trouble.resource(), ": ", trouble.error());
  } else if (convergence.state() == v1::Convergence::DIFFERS) {
    for (const v1::Change& change : convergence.changes()) {
      absl::StrAppend(&text, &change == &convergence.changes(0) ? ": " : ", ", change.resource());
      if (text.size() > kTextBytes) break;
    }
  }
  return ShortText(text, kTextBytes);
}

std::string ChangeText(const v1::ChangeMade& made) {
  const v1::Change& change = made.change();
  std::string text =
      absl::StrCat(ShortText(change.resource(), kNameBytes), ": ",
                   ShortText(change.from(), kNameBytes), " -> ", ShortText(change.to(), kNameBytes),
                   " (generation ", made.generation(), ", in ", Span(made.duration_us()));
  if (made.download_us() > 0)
    absl::StrAppend(&text, ", of it ", Span(made.download_us()), " download");
  if (made.verify_us() > 0) {
    absl::StrAppend(&text, made.download_us() > 0 ? ", " : ", of it ", Span(made.verify_us()),
                    " verification");
  }
  return text + ")";
}

}  // namespace connect_ha
