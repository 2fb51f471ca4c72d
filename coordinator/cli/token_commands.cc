#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/duration.h"

namespace connect_ha {
namespace {

constexpr char kCreateDescription[] =
    R"(Makes a token with which a node may join, and prints the command to run there. The token is shown only now and stored nowhere; whoever has it can enrol a node until it expires or is used up. For an Auto Scaling group give a name pattern and more uses, and put the command in the user data.)";

constexpr char kListDescription[] =
    R"(Lists the join tokens, without their secrets: for which nodes they are, how often they were used, and how long they are good.)";

constexpr char kRevokeDescription[] =
    R"(Revokes a join token at once. Nodes that joined with it stay; to remove one of them: connect-ha node remove NAME.)";

absl::StatusOr<v1::CreateTokenRequest> Request(const Arguments& arguments) {
  v1::CreateTokenRequest request;
  request.set_node_pattern(arguments.Get("--node"));
  request.set_why(arguments.Get("--why"));
  if (arguments.Has("--ttl")) {
    const auto ttl = ParseDuration(arguments.Get("--ttl"));
    if (!ttl.ok()) return ttl.status();
    request.mutable_ttl()->set_seconds(ttl->count());
  }
  if (arguments.Has("--uses")) {
    uint32_t uses = 0;
    if (!absl::SimpleAtoi(arguments.Get("--uses"), &uses) || uses == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--uses takes a number from 1, not \"",
                                                     arguments.Get("--uses"),
                                                     "\"; fix: connect-ha token create --uses 1"));
    }
    request.set_uses(uses);
  }
  return request;
}

// One option a line: it fits a terminal and can be pasted.
std::string Pasteable(const std::string& command) {
  return "  " + absl::StrReplaceAll(command, {{" --", " \\\n    --"}}) + "\n";
}

int Create(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto request = Request(arguments);
  if (!request.ok()) return Fail(terminal, request.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto response = (*admin)->CreateToken(*request);
  if (!response.ok()) return Fail(terminal, response.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*response);
    return kHolds;
  }
  const v1::Token& token = response->token();
  const std::string pattern = token.node_pattern();
  terminal.out << Wrap(absl::StrCat("Token ", token.id(), " is good for ",
                                    Count(token.uses_allowed(), "use"), " until ",
                                    FormatUtc(FromProto(token.expires_at())), ", ",
                                    pattern.empty() ? "for any node"
                                                    : absl::StrCat("for the node name ", pattern),
                                    ". On the node, as root:"),
                       terminal.width)
               << "\n"
               << Pasteable(Printable(response->join_command())) << "\n"
               << "Then here: connect-ha nodes\n";
  return kHolds;
}

Cell TokenState(const v1::Token& token, Time now) {
  if (token.revoked()) return {"revoked", Style::kFaint};
  if (token.uses_spent() >= token.uses_allowed()) return {"used up", Style::kFaint};
  const Time expires = FromProto(token.expires_at());
  if (expires <= now) return {"expired", Style::kFaint};
  return {absl::StrCat("good for ", FormatSpan(expires - now)), Style::kGood};
}

int List(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto response = (*admin)->ListTokens({});
  if (!response.ok()) return Fail(terminal, response.status());
  if (arguments.Get("--output") == "json") {
    terminal.out << ToJson(*response);
    return kHolds;
  }
  if (response->tokens().empty()) {
    terminal.out << "no token; next: connect-ha token create\n";
    return kHolds;
  }
  std::vector<TableRow> rows;
  for (const v1::Token& token : response->tokens()) {
    rows.push_back({{token.id()},
                    {token.node_pattern().empty() ? "any" : token.node_pattern()},
                    {absl::StrCat(token.uses_spent(), " of ", token.uses_allowed())},
                    TokenState(token, environment.now()),
                    {FormatUtc(FromProto(token.created_at()))},
                    {token.created_by()}});
  }
  PrintTable(terminal, {"TOKEN", "NODES", "USED", "STATE", "CREATED", "BY"}, rows);
  terminal.out << "\n" << Count(rows.size(), "token") << "\n";
  return kHolds;
}

int Revoke(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  v1::RevokeTokenRequest request;
  request.set_id(arguments.positional[0]);
  request.set_why(arguments.Get("--why"));
  const auto response = (*admin)->RevokeToken(request);
  if (!response.ok()) return Fail(terminal, response.status());
  terminal.out << "token " << request.id() << " is revoked\n";
  return kHolds;
}

}  // namespace

Command TokenCreateCommand(const Environment& environment) {
  Command command = {"token create", "", "Print the command with which a node joins",
                     kCreateDescription};
  command.options =
      ClientOptions({{"--node", "NAME", "The node's name, or a pattern with * and ? (default any)"},
                     {"--ttl", "TIME", "How long it is good: 30m, 12h, 2d (default 1h)"},
                     {"--uses", "NUMBER", "How many nodes may join with it (default 1)"},
                     WhyOption(),
                     {"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha token create --node node-1",
                      "connect-ha token create --node 'web-*' --uses 20 --ttl 12h"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Create(environment, arguments, terminal);
  };
  return command;
}

Command TokenListCommand(const Environment& environment) {
  Command command = {"token list", "", "List the join tokens", kListDescription};
  command.options = ClientOptions({{"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha token list"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return List(environment, arguments, terminal);
  };
  return command;
}

Command TokenRevokeCommand(const Environment& environment) {
  Command command = {"token revoke", "TOKEN", "Revoke a join token", kRevokeDescription};
  command.options = ClientOptions({WhyOption()});
  command.examples = {"connect-ha token revoke 4xk2vq7mza"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Revoke(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
