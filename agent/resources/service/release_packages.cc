// Hands off: what this agent put on hold may be upgraded again.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/install/hold_record.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/nouns.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

class ReleasePackages : public Resource {
 public:
  explicit ReleasePackages(const ResourceContext& context) : context_(context) {
    // No package's script is run, whatever Connect does meanwhile.
    context_.service.leaves_connect = true;
  }

  std::string Name() const override { return "release packages"; }

  std::vector<std::string> After() override { return {}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<Holds> holds = Look();
    if (!holds.ok()) return holds.status();
    std::vector<std::string> differ;
    if (!holds->ours.empty()) {
      differ.push_back(absl::StrCat("on hold by this agent: ", absl::StrJoin(holds->ours, " ")));
    }
    if (!holds->put_back.empty()) {
      differ.push_back(
          absl::StrCat("taken off hold by this agent: ", absl::StrJoin(holds->put_back, " ")));
    }
    if (!holds->theirs.empty()) {
      differ.push_back(
          absl::StrCat("noted as on hold by others: ", absl::StrJoin(holds->theirs, " ")));
    }
    if (differ.empty()) return std::nullopt;
    v1::Change change;
    change.set_from(absl::StrJoin(differ, "; "));
    change.set_to("as they were before");
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    // One that was begun may put its package on hold yet.
    absl::Status settled = SettleInstaller(context_, progress);
    if (!settled.ok()) return settled;
    const absl::StatusOr<Holds> holds = Look();
    if (!holds.ok()) return holds.status();
    absl::Status changed = ChangeHolds(*holds, progress);
    // Others' notes, too: without one a hold is theirs, and what they take off hold from now on is
    // to stay so.
    for (const auto* packages : {&holds->ours, &holds->put_back, &holds->theirs}) {
      for (size_t i = 0; changed.ok() && i < packages->size(); ++i) {
        changed = ForgetHold(context_, (*packages)[i]);
      }
    }
    return changed;
  }

 private:
  struct Holds {
    std::vector<std::string> ours;      // that are noted: an installation may come to its hold yet
    std::vector<std::string> take_off;  // of these, those that are on hold
    std::vector<std::string> put_back;  // others', which a power cut kept off
    std::vector<std::string> theirs;    // that are as they were, or gone, and are still noted
  };

  absl::StatusOr<Holds> Look() const {
    const absl::StatusOr<std::vector<NotedHold>> noted = NotedHolds(context_);
    if (!noted.ok()) return noted.status();
    Holds holds;
    for (const NotedHold& hold : *noted) {
      if (hold.is_ours) {
        holds.ours.push_back(hold.package);
        if (hold.is_on_hold) holds.take_off.push_back(hold.package);
      } else if (hold.is_known && !hold.is_on_hold) {
        holds.put_back.push_back(hold.package);
      } else {
        holds.theirs.push_back(hold.package);
      }
    }
    return holds;
  }

  absl::Status ChangeHolds(const Holds& holds, Progress& progress) {
    if (holds.take_off.empty() && holds.put_back.empty()) return absl::OkStatus();
    progress.Enter(v1::Step::REMOVING);
    const std::string what =
        absl::StrCat(absl::StrJoin(holds.take_off, " "), ";", absl::StrJoin(holds.put_back, " "));
    Installation marks;
    marks.commands = AptHolds(holds.take_off, holds.put_back);
    marks.service = InstallerService("unhold", Hex(Sha256(what)));
    marks.description = "let go of packages";
    marks.touches_connect = false;
    marks.fix_of_time_out = "find out what it waited for: apt-mark showhold, by hand";
    return Install(context_, marks, progress);
  }

  ResourceContext context_;
};

}  // namespace

std::unique_ptr<Resource> MakePackageRelease(const ResourceContext& context) {
  return std::make_unique<ReleasePackages>(context);
}

}  // namespace connect_ha
