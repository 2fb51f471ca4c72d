#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "coordinator/cli/apply/put_into_force.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/link/identity.h"

namespace connect_ha {
namespace {

constexpr char kCreateDescription[] =
    R"(Lets a person, or a program, ask the coordinator under a name of its own, which events and the audit log then show. Makes a key here, has the coordinator certify it, and leaves both in DIR with the authority's certificate and the coordinator's address: an identity, to be handed over to whoever the name is for. The key is made here and goes nowhere else.

The roles, each with what those before it may do: viewer reads; operator has nodes look again and say what they would change, takes nodes out of service and lets them back, approves, pauses and aborts changes, and waives rules that do not fence; admin applies specifications, makes and revokes tokens, removes nodes, fences and lets go of them, says that one is gone or that the database was put back, allows downtime, waives every rule, and says who may do what.

--replace gives a name that exists this role and a new certificate: those that it had are refused from its next call on. Use it, too, where a key may have been copied.)";

constexpr char kListDescription[] =
    R"(Lists who may ask the coordinator, with which role, and who let them in; those that were removed, too.)";

constexpr char kRemoveDescription[] =
    R"(Removes an admin: its certificates are refused from its next call on. The last one with the role admin cannot be removed. Asks first, unless --yes is given.)";

std::string RoleCell(v1::Role role) { return absl::AsciiStrToLower(v1::Role_Name(role)); }

v1::Role RoleOf(const std::string& word) {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  v1::Role_Parse(absl::AsciiStrToUpper(word), &role);
  return role;
}

absl::Status ExistsAlready(const std::string& dir) {
  return absl::AlreadyExistsError(
      absl::StrCat("there is an identity in ", dir, " already; fix: give another --out DIR"));
}

// What an identity has beside the key and its certificate: as in the one that asks for it.
absl::Status CopyAddress(const std::string& from, const std::string& to) {
  for (const char* name : {"/ca.crt", "/coordinator"}) {
    const auto content = ReadSmallFile(from + name);
    if (!content.ok()) return content.status();
    absl::Status written = WriteSmallFile(to + name, *content, 0644);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

// Everything that can go wrong here does so before the coordinator is asked.
absl::StatusOr<std::string> PrepareIdentity(const std::string& own, const std::string& dir) {
  if (FileExists(dir + "/admin.crt")) return ExistsAlready(dir);
  absl::Status prepared = MakeDirectories(dir, 0700);
  if (prepared.ok()) prepared = CopyAddress(own, dir);
  if (!prepared.ok()) return prepared;
  return MakeKey();
}

void SayHowToUse(Terminal& terminal, const std::string& name, const std::string& dir) {
  terminal.out << Wrap(absl::StrCat("Hand ", dir, " over to ", name,
                                    ", over a way that nobody else can read (it holds a private "
                                    "key), and remove it here. There it is used as"),
                       terminal.width)
               << "  ~/.config/connect-ha, mode 0700, or with\n"
               << "  connect-ha status --identity DIR\n";
}

int Create(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const std::string& name = arguments.positional[0];
  v1::CreateAdminRequest request;
  request.set_name(name);
  request.set_role(RoleOf(arguments.Get("--role")));
  request.set_why(arguments.Get("--why"));
  request.set_replace(arguments.Has("--replace"));
  if (!arguments.Has("--role")) {
    return Fail(terminal, absl::InvalidArgumentError(absl::StrCat(
                              "\"admin create\" needs --role; fix: connect-ha admin create ", name,
                              " --role viewer, operator or admin")));
  }
  if (absl::Status right = CheckName("admin name", name); !right.ok()) return Fail(terminal, right);
  const std::string dir = arguments.Get("--out", "connect-ha-" + name);
  const auto own = FindIdentity(arguments.Get("--identity"), environment.variable);
  if (!own.ok()) return Fail(terminal, own.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto key = PrepareIdentity(*own, dir);
  if (!key.ok()) return Fail(terminal, key.status());
  const auto csr = MakeCsr(*key);
  if (!csr.ok()) return Fail(terminal, csr.status());
  request.set_csr_der(*csr);
  const auto created = (*admin)->CreateAdmin(request);
  if (!created.ok()) return Fail(terminal, created.status());
  const absl::Status stored = StoreCredentials(dir, "admin", {*key, created->certificate_pem()});
  if (!stored.ok()) {
    return Fail(terminal, absl::UnknownError(absl::StrCat(
                              "admin ", name,
                              " was made, and its key is lost: ", std::string(stored.message()),
                              "; fix: the same again, with --replace and another --out DIR")));
  }
  terminal.out << name << " may do what the role " << arguments.Get("--role") << " may\n\n";
  for (const char* file : {"admin.key", "admin.crt", "ca.crt", "coordinator"}) {
    terminal.out << "  made  " << dir << "/" << file << "\n";
  }
  terminal.out << "\n";
  SayHowToUse(terminal, name, dir);
  return kHolds;
}

int List(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto response = (*admin)->ListAdmins({});
  if (!response.ok()) return Fail(terminal, response.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*response);
    return kHolds;
  }
  std::vector<TableRow> rows;
  for (const v1::AdminRecord& record : response->admins()) {
    const Style style = record.has_removed_at() ? Style::kFaint : Style::kPlain;
    const std::string removed =
        record.has_removed_at() ? "removed " + FormatUtc(FromProto(record.removed_at())) : "";
    rows.push_back({{record.name(), style},
                    {RoleCell(record.role()), style},
                    {FormatUtc(FromProto(record.created_at())), style},
                    {record.created_by(), style},
                    {removed, style}});
  }
  PrintTable(terminal, {"ADMIN", "ROLE", "SINCE", "BY", ""}, rows);
  return kHolds;
}

int Remove(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const std::string& name = arguments.positional[0];
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  if (!arguments.Has("--yes")) {
    const auto confirmed =
        Confirmed(environment, terminal,
                  absl::StrCat("Remove admin ", name,
                               "? Its certificates are refused from its next call on."),
                  "connect-ha admin remove " + name);
    if (!confirmed.ok()) return Fail(terminal, confirmed.status());
    if (!*confirmed) {
      terminal.error << "nothing was changed\n";
      return kFails;
    }
  }
  v1::RemoveAdminRequest request;
  request.set_name(name);
  request.set_why(arguments.Get("--why"));
  const auto response = (*admin)->RemoveAdmin(request);
  if (!response.ok()) return Fail(terminal, response.status());
  terminal.out << "admin " << name << " is removed\n";
  return kHolds;
}

}  // namespace

Command AdminCreateCommand(const Environment& environment) {
  Command command = {"admin create", "NAME", "Let somebody ask the coordinator",
                     kCreateDescription};
  command.options = ClientOptions(
      {{"--role", "ROLE", "What the name may do", "viewer|operator|admin"},
       {"--out", "DIR", "Where to leave the identity (default connect-ha-NAME)"},
       {"--replace", nullptr, "Of a name that exists: another role, and a new certificate only"},
       WhyOption()});
  command.examples = {"connect-ha admin create alice --role operator",
                      "connect-ha admin create alice --role admin --replace --why 'laptop stolen'"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Create(environment, arguments, terminal);
  };
  return command;
}

Command AdminListCommand(const Environment& environment) {
  Command command = {"admin list", "", "List who may ask the coordinator", kListDescription};
  command.options = ClientOptions({{"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha admin list"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return List(environment, arguments, terminal);
  };
  return command;
}

Command AdminRemoveCommand(const Environment& environment) {
  Command command = {"admin remove", "NAME", "Remove an admin", kRemoveDescription};
  command.options = ClientOptions({{"--yes", nullptr, "Do not ask"}, WhyOption()});
  command.examples = {"connect-ha admin remove alice --why 'left the team'"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Remove(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
