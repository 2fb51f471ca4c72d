#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/accounts/account_files.h"
#include "agent/resources/nouns.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr char kGroupAdd[] = "/usr/sbin/groupadd";
constexpr char kUserAdd[] = "/usr/sbin/useradd";
// What Connect's package makes is taken to be a system account without a login. [not confirmed]
constexpr char kShell[] = "/usr/sbin/nologin";
constexpr char kHomes[] = "/home/";
constexpr std::chrono::seconds kDeadline{30};

// "uid" of /etc/passwd or "gid" of /etc/group.
struct IdKind {
  const char* word;
  const char* file;
  bool is_group;
  const char* renumber;  // the command that would
};
constexpr IdKind kUid = {"uid", "/etc/passwd", false, "usermod --uid"};
constexpr IdKind kGid = {"gid", "/etc/group", true, "groupmod --gid"};

absl::Status Conflict(const ResourceContext& context, const std::string& name, const IdKind& kind,
                      uint32_t here, uint32_t wanted) {
  const std::string owned = DescribeOwned(context, here, kind.is_group);
  return absl::FailedPreconditionError(absl::StrCat(
      name, " has ", kind.word, " ", here, " on this node, the specification says ", wanted,
      "; ids are never changed here", owned.empty() ? "" : "; ", owned, "\nfix: write ", kind.word,
      ": ", here, " into the specification, or stop what runs as ", name, ", then: ", kind.renumber,
      " ", wanted, " ", ShellOperand(name), " and chown --from what belonged to ", here));
}

// What has to be made, if anything.
struct Missing {
  bool group = false;
  bool user = false;
};

class Account : public Resource {
 public:
  Account(const ResourceContext& context, const std::string& name, const v1::AccountSpec& spec)
      : context_(context), name_(name), spec_(spec) {}

  std::string Name() const override { return "account " + name_; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<Missing> missing = Look();
    if (!missing.ok()) return missing.status();
    if (!missing->group && !missing->user) return std::nullopt;
    v1::Change change;
    if (missing->group && missing->user) {
      change.set_from("absent");
    } else {
      change.set_from(missing->user ? "the group alone" : "the user alone");
    }
    std::string ids;
    if (spec_.has_uid()) absl::StrAppend(&ids, "uid ", spec_.uid());
    if (spec_.has_gid()) absl::StrAppend(&ids, ids.empty() ? "" : ", ", "gid ", spec_.gid());
    change.set_to(ids.empty() ? "a system account" : ids);
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<Missing> missing = Look();
    if (!missing.ok()) return missing.status();
    if (missing->group) {
      absl::Status made = Make(GroupCommand());
      if (!made.ok()) return made;
    }
    if (!missing->user) return absl::OkStatus();
    return Make(UserCommand());
  }

 private:
  absl::StatusOr<Missing> Look() {
    Missing missing;
    const absl::StatusOr<uint32_t> gid = context_.host.LookUpGroup(name_);
    if (absl::IsNotFound(gid.status())) {
      missing.group = true;
      if (spec_.has_gid()) {
        absl::Status free = CheckFree(kGid, spec_.gid());
        if (!free.ok()) return free;
      }
    } else if (!gid.ok()) {
      return gid.status();
    } else if (spec_.has_gid() && *gid != spec_.gid()) {
      return Conflict(context_, name_, kGid, *gid, spec_.gid());
    }
    const absl::StatusOr<UserEntry> user = context_.host.LookUpUser(name_);
    if (absl::IsNotFound(user.status())) {
      missing.user = true;
      if (!spec_.has_uid()) return missing;
      absl::Status free = CheckFree(kUid, spec_.uid());
      if (!free.ok()) return free;
      return missing;
    }
    if (!user.ok()) return user.status();
    absl::Status same = CheckUser(*user);
    if (!same.ok()) return same;
    return missing;
  }

  absl::Status CheckUser(const UserEntry& user) {
    if (spec_.has_uid() && user.uid != spec_.uid()) {
      return Conflict(context_, name_, kUid, user.uid, spec_.uid());
    }
    if (spec_.has_gid() && user.gid != spec_.gid()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the primary group of ", name_, " has gid ", user.gid,
          " on this node, the specification says ", spec_.gid(), "\nfix: usermod --gid ",
          spec_.gid(), " ", ShellOperand(name_), ", once the group ", name_, " is there"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckFree(const IdKind& kind, uint32_t id) {
    const absl::StatusOr<std::string> owner = NameOfId(context_.host, kind.file, id);
    if (!owner.ok()) return owner.status();
    if (owner->empty()) return absl::OkStatus();
    const std::string owned = DescribeOwned(context_, id, kind.is_group);
    return absl::FailedPreconditionError(absl::StrCat(
        kind.word, " ", id, " is ", *owner, "'s on this node, the specification gives it to ",
        name_, owned.empty() ? "" : "; ", owned, "\nfix: choose a ", kind.word,
        " that is free on every node, or: ", kind.renumber, " NEW ", ShellOperand(*owner),
        " and chown what belonged to ", id));
  }

  std::vector<std::string> GroupCommand() const {
    std::vector<std::string> command = {kGroupAdd, "--system"};
    if (spec_.has_gid()) command.insert(command.end(), {"--gid", absl::StrCat(spec_.gid())});
    command.insert(command.end(), {"--", name_});
    return command;
  }

  std::vector<std::string> UserCommand() const {
    std::vector<std::string> command = {kUserAdd, "--system"};
    if (spec_.has_uid()) command.insert(command.end(), {"--uid", absl::StrCat(spec_.uid())});
    command.insert(command.end(), {"--gid", name_, "--no-create-home", "--home-dir", kHomes + name_,
                                   "--shell", kShell, "--", name_});
    return command;
  }

  absl::Status Make(const std::vector<std::string>& command) {
    CommandOptions options;
    options.deadline = kDeadline;
    const absl::StatusOr<CommandResult> run = context_.host.Run(command, options);
    if (!run.ok()) return run.status();
    if (run->exit_code == 0 && !run->timed_out) return absl::OkStatus();
    const std::string words =
        absl::StrCat(absl::StrJoin(command, " "), ": exit code ", run->exit_code, ": ",
                     absl::StripAsciiWhitespace(run->output));
    // Another program is just changing the account files.
    if (run->timed_out || absl::StrContains(run->output, "cannot lock")) {
      return absl::UnavailableError(words);
    }
    return absl::FailedPreconditionError(words);
  }

  const ResourceContext& context_;
  const std::string name_;
  const v1::AccountSpec spec_;
};

}  // namespace

std::unique_ptr<Resource> MakeAccount(const ResourceContext& context, const std::string& name,
                                      const v1::AccountSpec& spec) {
  return std::make_unique<Account>(context, name, spec);
}

}  // namespace connect_ha
