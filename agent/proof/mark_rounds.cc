#include "agent/proof/mark_rounds.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/resources/storage/marking.h"
#include "common/log.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kPace{60};
// What is mended is to be seen soon.
constexpr std::chrono::seconds kPaceOfAFault{10};

// What the probe reports of it.
std::string Reported(const ProbeCache& cache) {
  const std::string fault = cache.mark_fault.Get().value_or("");
  const std::optional<KeptMark> mark = cache.mark.Get();
  if (!mark) return fault;
  return mark->ok() ? absl::StrCat("1", (*mark)->SerializeAsString(), fault)
                    : absl::StrCat("0", mark->status().message(), fault);
}

// It may be there: the last look could not tell.
bool IsUnread(const ProbeCache& cache) {
  const std::optional<KeptMark> mark = cache.mark.Get();
  return mark && !mark->ok() && !absl::IsNotFound(mark->status());
}

}  // namespace

bool WantsMark(const v1::Assignment& orders) {
  const v1::ClusterSpec& spec = orders.desired().spec();
  return !orders.removed() && !spec.cluster().empty() && !spec.storage().mount_point().empty() &&
         (spec.enforcement() == v1::ENFORCE || spec.prove().storage());
}

MarkRounds::MarkRounds(const ProofContext& context, std::string state_dir,
                       std::function<std::shared_ptr<const v1::Assignment>()> orders)
    : context_(context), state_dir_(std::move(state_dir)), orders_(std::move(orders)) {}

std::chrono::milliseconds MarkRounds::Pace() const {
  const bool has_fault = !context_.cache.mark_fault.Get().value_or("").empty();
  return has_fault || IsUnread(context_.cache) ? kPaceOfAFault : kPace;
}

bool MarkRounds::Run(const ProofOrder& order) {
  const std::shared_ptr<const v1::Assignment> orders = orders_();
  const std::string before = Reported(context_.cache);
  if (!WantsMark(*orders)) {
    context_.cache.mark_fault.Put("");
    if (IsUnread(context_.cache)) context_.cache.mark.Put(absl::NotFoundError("not looked for"));
    return Reported(context_.cache) != before;
  }
  const v1::ClusterSpec& spec = orders->desired().spec();
  const absl::Status kept = KeepMark({context_.host, context_.cache, spec.storage(), spec.cluster(),
                                      order.node, state_dir_, order.config.get()});
  const std::string said = kept.ok() ? "" : std::string(kept.message());
  if (said != told_) {
    told_ = said;
    if (kept.ok()) {
      spdlog::info("event=mark-kept cluster={}", LogValue(spec.cluster()));
    } else {
      spdlog::warn("event=mark-not-kept error={}", LogValue(said));
    }
  }
  return Reported(context_.cache) != before;
}

// What is written stays: it is the cluster's. What was seen of it may change, and nobody looks.
void MarkRounds::Stop() {
  context_.cache.mark.Forget();
  context_.cache.mark_fault.Put("");
}

}  // namespace connect_ha
