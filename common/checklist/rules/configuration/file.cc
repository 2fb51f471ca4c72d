#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// What Connect would say of the file at its next start.
std::string ErrorText(const v1::ConfigurationFacts& configuration, const v1::ConfigError& error) {
  std::string text = absl::StrCat(configuration.path(), ":", error.line());
  if (error.column() > 0) absl::StrAppend(&text, ":", error.column());
  return absl::StrCat(text, ": ", error.message());
}

void JudgeErrors(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::ConfigurationFacts& configuration = node.facts().configuration();
  const std::string text = absl::StrCat("Connect will not start with ",
                                        ErrorText(configuration, configuration.errors(0)));
  const int more = configuration.errors_size() - 1;
  verdict.Fail(
      node.name(), more == 0 ? text : absl::StrCat(text, "; and ", more, " more"),
      {ByHand(node.name(),
              absl::StrCat("correct line ", configuration.errors(0).line(), " of ",
                           configuration.path(),
                           IsRunning(node.facts())
                               ? "; Connect goes on with what it read at its start: do not restart "
                                 "it before the file is right"
                               : "")),
       Type(node.name(), {"connect-ha-agent check-config"}, "it reads the file as Connect does")});
}

std::string ModeText(const v1::ConfigurationFacts& file) {
  return absl::StrFormat("%s is %04o, owner %u:%u", file.path(), file.mode(), file.uid(),
                         file.gid());
}

// What the running process has otherwise than the node's files, one line each.
void JudgeApplied(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Unit& unit = node.facts().connect().unit();
  const v1::ConfigurationFacts& file = node.facts().configuration();
  const std::string& name = node.name();
  const Time started = FromProto(unit.started_at());
  const bool was_reloaded = unit.has_reloaded_at() && FromProto(unit.reloaded_at()) > started;
  // When Connect has read the file.
  const Time read = was_reloaded ? FromProto(unit.reloaded_at()) : started;
  const std::string since = was_reloaded
                                ? absl::StrCat(", Connect has read it ", FormatUtc(read))
                                : absl::StrCat(", Connect runs since ", FormatUtc(started));
  bool applied = true;
  // A mask hides the unit's files from systemd; service-is-healthy tells of it.
  const bool masked = unit.load_state() == "masked";
  if (!masked && unit.need_daemon_reload()) {
    applied = false;
    verdict.Fail(name, "files of the unit changed, and systemd has not read them",
                 {Type(name, {"systemctl daemon-reload"}), RestartConnect(name)});
  }
  if (!masked && file.stale_environment_size() > 0) {
    applied = false;
    verdict.Fail(
        name,
        absl::StrCat("Connect runs with another ", absl::StrJoin(file.stale_environment(), ", "),
                     " than the unit would give it now"),
        {RestartConnect(name)});
  }
  if (file.has_modified_at() && FromProto(file.modified_at()) > read) {
    applied = false;
    verdict.Fail(name,
                 absl::StrCat(ConfigPath(node.facts()), " changed ",
                              FormatUtc(FromProto(file.modified_at())), since),
                 {RestartConnect(name)});
  } else if (file.has_changed_at() && FromProto(file.changed_at()) > read) {
    applied = false;
    verdict.Fail(name,
                 absl::StrCat(ConfigPath(node.facts()), ", or its owner or mode, changed ",
                              FormatUtc(FromProto(file.changed_at())), since),
                 {RestartConnect(name)});
  }
  if (applied) {
    verdict.Pass(name, was_reloaded ? "Connect has read it after the last change"
                                    : "Connect was started after the last change");
  }
}

}  // namespace

v1::Finding ConfigurationIsValid(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "configuration.errors") ||
        verdict.Unobserved(node, "configuration.keys")) {
      continue;
    }
    const v1::ConfigurationFacts& configuration = node.facts().configuration();
    if (configuration.errors_size() > 0) {
      JudgeErrors(node, verdict);
    } else if (!configuration.has_mode() && configuration.keys().empty()) {
      verdict.NotApplicable(node.name(), absl::StrCat("there is no ", ConfigPath(node.facts())));
    } else {
      verdict.Pass(node.name(), absl::StrCat(ConfigPath(node.facts()), " can be read"));
    }
  }
  return verdict.Finish();
}

v1::Finding ConfigurationIsApplied(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") ||
        verdict.Unobserved(node, "configuration.modified_at") ||
        verdict.Unobserved(node, "configuration.changed_at") ||
        verdict.Unobserved(node, "configuration.stale_environment")) {
      continue;
    }
    if (!IsRunning(node.facts())) {
      verdict.NotApplicable(node.name(), "Connect is not running");
    } else if (!node.facts().connect().unit().has_started_at()) {
      verdict.Unknown(node.name(), "when Connect was started was not reported");
    } else {
      JudgeApplied(node, verdict);
    }
  }
  return verdict.Finish();
}

v1::Finding ConfigurationIsProtected(const v1::Snapshot& cluster) {
  constexpr uint32_t kOwnerOnly = 0600;
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "configuration.mode") ||
        verdict.Unobserved(node, "configuration.uid")) {
      continue;
    }
    const v1::ConfigurationFacts& file = node.facts().configuration();
    if (!file.has_mode()) {
      verdict.NotApplicable(node.name(), absl::StrCat("there is no ", ConfigPath(node.facts())));
    } else if (!file.has_uid()) {
      verdict.Unknown(node.name(), absl::StrCat("the owner of ", file.path(), " is not known"));
    } else if (file.uid() != 0 || (file.mode() & ~kOwnerOnly) != 0) {
      verdict.Fail(node.name(), ModeText(file),
                   {Type(node.name(), {absl::StrCat("chown root:root ", ShellOperand(file.path())),
                                       absl::StrCat("chmod 0600 ", ShellOperand(file.path()))})});
    } else {
      verdict.Pass(node.name(), ModeText(file));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
