#include "agent/preflight/preflight.h"

#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/held.h"
#include "agent/assignment/standing.h"
#include "agent/assignment/told.h"
#include "agent/preflight/database_look.h"
#include "agent/preflight/migration_look.h"
#include "agent/preflight/storage_look.h"
#include "agent/probes/connect/configuration.h"
#include "agent/resources/storage/marking.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {
namespace {

constexpr char kAgain[] =
    "systemctl restart connect-ha-agent, whose coordinator sends it anew; where there is no time "
    "for it: connect-ha-agent preflight --override REASON";

constexpr char kOnceMended[] =
    "once that is mended, systemctl start rstudio-connect; connect-ha-agent preflight --explain "
    "shows whether it is";

// `status` with what to do, where it does not say.
absl::Status WithFix(const absl::Status& status, const std::string& fix) {
  const std::string message(status.message());
  if (message.find("fix: ") != std::string::npos) return status;
  return absl::Status(status.code(), absl::StrCat(message, "\nfix: ", fix));
}

class Look {
 public:
  Look(WritableHost& host, const PreflightOptions& options, Whereabouts& whereabouts)
      : host_(host),
        options_(options),
        whereabouts_(whereabouts),
        may_enforce_(!options.config_status.ok() ||
                     options.agent_config.allow() != v1::ALLOW_OBSERVE) {}

  PreflightFinding Do() {
    finding_.enforced = may_enforce_;
    Take("orders", "reading what this node holds", [this] { return Orders(); });
    whereabouts_.SetEnforced(finding_.enforced);
    if (!finding_.passed() || !goes_on_) return std::move(finding_);
    if (!Take("configuration", "reading Connect's configuration", [this] { return Configure(); })) {
      return std::move(finding_);
    }
    const v1::StorageSpec& storage = orders_.desired().spec().storage();
    if (!storage.mount_point().empty() && !Storage()) return std::move(finding_);
    Take("database", "connecting to the database", [this] { return Database(); });
    return std::move(finding_);
  }

 private:
  using Seen = absl::StatusOr<std::string>;

  bool Take(const std::string& what, const std::string& at, const std::function<Seen()>& look) {
    whereabouts_.Enter(at);
    const Seen seen = look();
    PreflightStep step;
    step.what = what;
    step.status = seen.ok() ? absl::OkStatus() : WithFix(seen.status(), kOnceMended);
    if (seen.ok()) step.seen = *seen;
    finding_.steps.push_back(std::move(step));
    return seen.ok();
  }

  // Nothing to go by: it is said, and Connect starts.
  Seen NothingEnforced(const std::string& why) {
    finding_.enforced = false;
    goes_on_ = false;
    return why;
  }

  // A node that knows its cluster's mark has held orders, which said where it is; one that is let
  // in anew holds those of set_aside.h at once.
  Seen NoOrders() {
    const absl::StatusOr<bool> had_orders = KnowsAMark(host_, options_.state_dir);
    if (!had_orders.ok()) return WithFix(had_orders.status(), kAgain);
    if (*had_orders) {
      return absl::FailedPreconditionError(absl::StrCat(
          options_.state_dir, "/assignment is gone, which this node has held\nfix: ", kAgain));
    }
    return NothingEnforced("this node holds no specification yet: nothing is looked at");
  }

  // It is nobody's business any more what runs here, but for what the cluster would suffer from.
  Seen Removed() {
    whereabouts_.SetEnforced(false);
    const absl::StatusOr<v1::Desired> before = ReadBeforeRemoval(host_, options_.state_dir);
    const std::string left_behind = before.ok() ? WhyLeftBehind(*before) : "";
    if (left_behind.empty()) {
      return NothingEnforced("this node was removed from its cluster: nothing else is looked at");
    }
    return absl::FailedPreconditionError(left_behind);
  }

  std::string WhyLeftBehind(const v1::Desired& held) {
    const v1::StorageSpec& storage = held.spec().storage();
    if (!may_enforce_ || held.spec().enforcement() != v1::ENFORCE) return "";
    const absl::StatusOr<ConnectConfig> config = LoadConnectConfig(host_, options_.agent_config);
    if (!config.ok() || storage.mount_point().empty()) return "";
    StorageLook look(host_, storage, *config);
    const bool is_there = look.Mounted().ok() && look.Directories().ok();
    return is_there ? look.WhyLeftBehind(held) : "";
  }

  Seen Orders() {
    absl::StatusOr<v1::Assignment> held = ReadHeld(host_, options_.state_dir, options_.runtime_dir);
    if (absl::IsNotFound(held.status())) return NoOrders();
    if (SaysRemoved(held.status())) {
      return Removed();
    }
    // Not to remove it, as elsewhere: a node without orders is let start.
    if (absl::IsDataLoss(held.status())) {
      return absl::FailedPreconditionError(
          absl::StrCat(options_.state_dir, "/assignment is damaged\nfix: ", kAgain));
    }
    if (!held.ok()) return WithFix(held.status(), kAgain);
    orders_ = *std::move(held);
    // As the agent goes by it.
    if (!IsAllowed(orders_.state(), options_.agent_config.allow())) {
      orders_.set_state(v1::OBSERVED);
    }
    const bool is_held = orders_.state() == v1::STOPPED || orders_.state() == v1::FENCED;
    const bool enforces = may_enforce_ && orders_.desired().spec().enforcement() == v1::ENFORCE;
    finding_.enforced = may_enforce_ && (enforces || is_held);
    if (orders_.desired().generation() == 0 && !is_held) {
      return NothingEnforced("this node holds no specification yet: nothing is looked at");
    }
    if (absl::Status ours = CheckMachine(); !ours.ok()) return ours;
    if (!options_.config_status.ok()) return options_.config_status;
    if (absl::Status may = CheckState(enforces); !may.ok()) return may;
    // One that drained when it went off may be started by its boot like one that served.
    const bool may_run = orders_.state() == v1::SERVING || orders_.state() == v1::DRAINING;
    if (enforces && may_run) {
      absl::Status told = CheckTold(host_, options_.state_dir, options_.runtime_dir);
      if (!told.ok()) return told;
    }
    return absl::StrCat("generation ", orders_.desired().generation(), " of cluster ",
                        orders_.desired().spec().cluster(),
                        enforces ? "" : ", which is not enforced here");
  }

  // The disk of a node that was copied: two machines of one name.
  absl::Status CheckMachine() {
    if (orders_.machine_id().empty()) return absl::OkStatus();  // of release 0.1
    const absl::StatusOr<std::string> text = host_.ReadFile("/etc/machine-id");
    if (!text.ok()) return WithFix(text.status(), "systemd-machine-id-setup");
    if (absl::StripAsciiWhitespace(*text) == orders_.machine_id()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        "this node holds the orders of another machine: its disk is a copy\nfix: connect-ha token "
        "create at the coordinator, and here what it prints, with another name: --node NAME");
  }

  absl::Status CheckState(bool enforces) {
    switch (orders_.state()) {
      case v1::STOPPED:
      case v1::FENCED:
        return absl::FailedPreconditionError(absl::StrCat(
            "the coordinator has ",
            orders_.state() == v1::FENCED ? "fenced this node" : "stopped Connect on this node",
            "\nfix: connect-ha status says why"));
      case v1::PREPARING:
        if (!enforces) return absl::OkStatus();
        return absl::FailedPreconditionError(absl::StrCat(
            "this node is being brought to generation ", orders_.desired().generation(),
            "\nfix: connect-ha status --watch shows when it is ready"));
      case v1::READY:
        // Where nothing may be started here, a person is who starts it.
        if (!enforces || options_.agent_config.allow() == v1::ALLOW_INSTALL) {
          return absl::OkStatus();
        }
        return absl::FailedPreconditionError(
            "this node is ready, and has not been told to serve\nfix: connect-ha status says what "
            "it waits for; where there is no coordinator: connect-ha-agent preflight --override "
            "REASON");
      default:
        return absl::OkStatus();
    }
  }

  Seen Configure() {
    absl::StatusOr<ConnectConfig> config = LoadConnectConfig(host_, options_.agent_config);
    if (!config.ok()) {
      return WithFix(absl::FailedPreconditionError(absl::StrCat(
                         "Connect's configuration cannot be read: ", config.status().message())),
                     "connect-ha-agent check-config");
    }
    config_ = *std::move(config);
    return options_.agent_config.connect_config();
  }

  // False: a step failed.
  bool Storage() {
    StorageLook& look = storage_look_.emplace(host_, orders_.desired().spec().storage(), *config_);
    const std::string& point = orders_.desired().spec().storage().mount_point();
    if (!Take("mount", "reading what is mounted at " + point, [&] { return look.Mounted(); }) ||
        !Take("answers", "asking what is mounted at " + point, [&] { return look.Answers(); }) ||
        !Take("directories", "looking at the data directory below " + point,
              [&] { return look.Directories(); })) {
      return false;
    }
    // In every other state the agent has marked it before, or does not let Connect start.
    const bool may_be_unmarked = orders_.state() == v1::OBSERVED;
    return Take("mark", "reading the cluster's mark below " + point,
                [&] { return look.Mark(options_.state_dir, orders_.desired(), may_be_unmarked); });
  }

  Seen Database() {
    const auto began = std::chrono::steady_clock::now();
    absl::StatusOr<DatabaseSeen> seen = LookAtDatabase(host_, options_.agent_config, *config_);
    while (absl::IsUnavailable(seen.status()) &&
           std::chrono::steady_clock::now() - began < options_.database_patience) {
      const std::string message(seen.status().message());
      whereabouts_.Enter(absl::StrCat("connecting to the database again (",
                                      message.substr(0, message.find('\n')), ")"));
      std::this_thread::sleep_for(options_.database_pause);
      seen = LookAtDatabase(host_, options_.agent_config, *config_);
    }
    if (!seen.ok()) return seen.status();
    if (storage_look_) {
      absl::Status fits = storage_look_->FitsDatabase(seen->connect_tables);
      if (!fits.ok()) return fits;
    }
    const absl::Status as_left = CheckMigration(host_, options_.state_dir, seen->migration);
    if (!as_left.ok()) return as_left;
    return seen->text;
  }

  WritableHost& host_;
  const PreflightOptions& options_;
  Whereabouts& whereabouts_;
  const bool may_enforce_;  // agent.yaml lets it, or cannot be gone by
  PreflightFinding finding_;
  bool goes_on_ = true;
  v1::Assignment orders_;
  std::optional<ConnectConfig> config_;
  std::optional<StorageLook> storage_look_;  // where the specification names a mount point
};

}  // namespace

void Whereabouts::Enter(const std::string& at) {
  const std::lock_guard<std::mutex> lock(mutex_);
  place_.at = at;
}

void Whereabouts::SetEnforced(bool enforced) {
  const std::lock_guard<std::mutex> lock(mutex_);
  place_.enforced = enforced;
}

Whereabouts::Place Whereabouts::Get() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return place_;
}

PreflightFinding LookBeforeStart(WritableHost& host, const PreflightOptions& options,
                                 Whereabouts& whereabouts) {
  return Look(host, options, whereabouts).Do();
}

}  // namespace connect_ha
