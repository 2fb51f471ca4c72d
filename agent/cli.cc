#include "agent/cli.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/held.h"
#include "agent/check_command.h"
#include "agent/check_config.h"
#include "agent/host/linux_host.h"
#include "agent/host/processes/shared_reader.h"
#include "agent/link/enroll.h"
#include "agent/link/identity.h"
#include "agent/preflight/preflight_command.h"
#include "agent/preview_command.h"
#include "agent/probes/connect/guard.h"
#include "agent/read_node.h"
#include "agent/resources/nouns.h"
#include "agent/run.h"
#include "common/command/json.h"
#include "common/file.h"
#include "common/log.h"
#include "common/spec/config_loader.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr char kDefaultConfig[] = "/etc/connect-ha/agent.yaml";
constexpr char kDefaultStateDir[] = "/var/lib/connect-ha-agent";

const Option kConfigOption = {"--config", "FILE",
                              "the agent's settings (default /etc/connect-ha/agent.yaml)"};
const Option kStateDirOption = {"--state-dir", "DIR",
                                "this node's identity (default /var/lib/connect-ha-agent)"};
const Option kFullOption = {
    "--full", nullptr,
    "also run every R, Python and Quarto, compare installed files and ask license-manager"};

// `status` with what to type next, where it does not say.
absl::Status WithFix(const absl::Status& status, const std::string& fix) {
  if (absl::StrContains(status.message(), "fix: ")) return status;
  return {status.code(), absl::StrCat(status.message(), "; fix: ", fix)};
}

absl::StatusOr<v1::AgentConfig> LoadConfig(const Arguments& arguments) {
  const bool given = arguments.Has("--config");
  const std::string path = arguments.Get("--config", kDefaultConfig);
  v1::AgentConfig config;
  const std::vector<ConfigProblem> problems =
      LoadAgentConfig(path, given ? MissingFile::kIsAProblem : MissingFile::kMeansDefaults, config);
  if (problems.empty()) return config;
  std::string text = FormatProblems(problems);
  absl::StripTrailingAsciiWhitespace(&text);
  return WithFix(absl::InvalidArgumentError(text), SettingsFix(path));
}

std::string StateDir(const Arguments& arguments) {
  return std::filesystem::absolute(arguments.Get("--state-dir", kDefaultStateDir));
}

// The cluster's key where this node has one, so that digests can be compared with other nodes'.
std::string DigestKey(const std::string& state_dir) {
  const absl::StatusOr<NodeIdentity> identity = LoadNodeIdentity(state_dir);
  return identity.ok() ? identity->digest_key : RandomBytes(32);
}

std::string NodeName(const std::string& state_dir, const v1::Facts& facts) {
  const absl::StatusOr<NodeIdentity> identity = LoadNodeIdentity(state_dir);
  if (identity.ok()) return identity->certificate.identity.name;
  return facts.host().hostname().empty() ? "this node" : facts.host().hostname();
}

int Leave(const NodeReading& reading, Terminal& terminal, int code) {
  terminal.out.flush();
  if (reading.stuck) std::_Exit(code);
  return code;
}

int Run(const Arguments& arguments, Terminal& terminal) {
  SetUpLog("info");
  const absl::StatusOr<v1::AgentConfig> config = LoadConfig(arguments);
  if (!config.ok()) {
    PrintError(terminal, config.status());
    return kUsage;
  }
  const absl::Status status = RunAgent(StateDir(arguments), *config);
  if (status.ok()) return kHolds;
  PrintError(terminal, WithFix(status, "systemctl status connect-ha-agent"));
  return kUnknown;
}

int Facts(const Arguments& arguments, Terminal& terminal) {
  const absl::StatusOr<v1::AgentConfig> config = LoadConfig(arguments);
  if (!config.ok()) {
    PrintError(terminal, config.status());
    return kUsage;
  }
  LinuxHost host;
  const std::string state_dir = StateDir(arguments);
  const NodeReading reading =
      ReadNode(host, *config, state_dir, DigestKey(state_dir), arguments.Has("--full"));
  terminal.out << ToJson(reading.facts);
  return Leave(reading, terminal, kHolds);
}

// Of a node that holds none: generation 0.
v1::Desired HeldSpecification(Host& host, const std::string& state_dir, Terminal& terminal) {
  const absl::StatusOr<v1::Assignment> assignment = ReadHeld(host, state_dir);
  if (assignment.ok()) return assignment->desired();
  if (!absl::IsNotFound(assignment.status())) {
    const std::string what =
        absl::StrCat("judged without a specification: ", assignment.status().message());
    PrintError(terminal, WithFix(absl::UnknownError(what), "run it as root"));
  }
  return {};
}

int Check(const Arguments& arguments, Terminal& terminal) {
  const absl::StatusOr<v1::AgentConfig> config = LoadConfig(arguments);
  if (!config.ok()) {
    PrintError(terminal, config.status());
    return kUsage;
  }
  LinuxHost host;
  const std::string state_dir = StateDir(arguments);
  NodeCheck check;
  check.full = arguments.Has("--full");
  check.strict = arguments.Has("--strict");
  check.all = arguments.Has("--all");
  check.json = arguments.Get("--output", "table") == "json";
  const NodeReading reading = ReadNode(host, *config, state_dir, DigestKey(state_dir), check.full);
  check.node = NodeName(state_dir, reading.facts);
  check.held = HeldSpecification(host, state_dir, terminal);
  check.now = host.Now();
  return Leave(reading, terminal, PrintNodeCheck(reading.facts, check, terminal));
}

// The service's credentials, for a person who asks beside it.
std::string CredentialsDir() {
  const char* own = std::getenv("CREDENTIALS_DIRECTORY");
  return own != nullptr ? own : "/run/credentials/connect-ha-agent.service";
}

int Preview(const Arguments& arguments, Terminal& terminal) {
  const absl::StatusOr<v1::AgentConfig> config = LoadConfig(arguments);
  if (!config.ok()) {
    PrintError(terminal, config.status());
    return kUsage;
  }
  LinuxHost host;
  ConvergeOptions options;
  options.agent_config = *config;
  options.state_dir = StateDir(arguments);
  options.cache_dir = "/var/cache/connect-ha-agent";
  options.credentials_dir = CredentialsDir();
  options.digest_key = DigestKey(options.state_dir);
  options.node = NodeName(options.state_dir, v1::Facts());
  return PrintNodePreview(host, options, arguments.Get("--only"),
                          arguments.Get("--output", "table") == "json", terminal);
}

// Who types, as sudo or the login tells: a name for people.
std::string WhoTypes() {
  const char* const by_sudo = std::getenv("SUDO_USER");
  if (by_sudo != nullptr && *by_sudo != '\0') return by_sudo;
  char name[256] = "";
  if (getlogin_r(name, sizeof name) == 0 && *name != '\0') return name;
  return absl::StrCat("uid ", geteuid());
}

int Preflight(const Arguments& arguments, Terminal& terminal) {
  if (arguments.Has("--explain") && arguments.Has("--override")) {
    PrintError(terminal, absl::InvalidArgumentError(
                             "--explain and --override are two things; fix: one after the other"));
    return kUsage;
  }
  const auto host = std::make_shared<LinuxHost>();
  if (arguments.Has("--override")) {
    return OverridePreflight(*host, arguments.Get("--override"), WhoTypes(), terminal);
  }
  PreflightCall call;
  const absl::StatusOr<v1::AgentConfig> config = LoadConfig(arguments);
  call.options.config_status = config.status();
  if (config.ok()) call.options.agent_config = *config;
  SetAgentDefaults(call.options.agent_config);
  call.options.state_dir = StateDir(arguments);
  call.options.runtime_dir = kRuntimeDirectory;
  const char* const invocation = std::getenv("INVOCATION_ID");
  if (invocation != nullptr) call.invocation = invocation;
  const PreflightAnswer answer = arguments.Has("--explain") ? ExplainPreflight(host, call, terminal)
                                                            : RunPreflight(host, call, terminal);
  terminal.out.flush();
  terminal.error.flush();
  if (answer.stuck) std::_Exit(answer.code);
  return answer.code;
}

int CheckConfig(const Arguments& arguments, Terminal& terminal) {
  LinuxHost host;
  return CheckConfigFiles(host, arguments.Get("--config", kDefaultConfig),
                          arguments.Has("--config"), terminal);
}

absl::StatusOr<std::string> Token(const Arguments& arguments) {
  if (arguments.Has("--token")) return arguments.Get("--token");
  if (!arguments.Has("--token-file")) {
    return absl::InvalidArgumentError(
        "enroll needs --token or --token-file; fix: connect-ha token create, at the coordinator");
  }
  const absl::StatusOr<std::string> text = ReadSmallFile(arguments.Get("--token-file"));
  if (!text.ok()) {
    return WithFix(
        text.status(),
        "write the token into it that connect-ha token create prints at the coordinator");
  }
  return std::string(absl::StripAsciiWhitespace(*text));
}

absl::StatusOr<EnrollOptions> MakeEnrollOptions(const Arguments& arguments) {
  EnrollOptions options;
  options.state_dir = StateDir(arguments);
  options.coordinator = arguments.Get("--coordinator");
  options.ca_hash = arguments.Get("--ca-hash");
  if (options.coordinator.empty() || options.ca_hash.empty()) {
    return absl::InvalidArgumentError(
        "enroll needs --coordinator and --ca-hash; fix: use the whole command that `connect-ha "
        "token create` prints");
  }
  absl::StatusOr<std::string> token = Token(arguments);
  if (!token.ok()) return token.status();
  options.token = *token;
  absl::StatusOr<std::string> node = arguments.Get("--node");
  if (node->empty()) node = DefaultNodeName();
  if (!node.ok()) return node.status();
  options.node = *node;
  LinuxHost host;
  const absl::StatusOr<std::string> machine_id = host.ReadFile("/etc/machine-id");
  if (!machine_id.ok()) {
    return WithFix(machine_id.status(), "systemd-machine-id-setup, then run this again");
  }
  options.machine_id = std::string(absl::StripAsciiWhitespace(*machine_id));
  int64_t wait = 0;
  if (!absl::SimpleAtoi(arguments.Get("--wait", "0"), &wait) || wait < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", arguments.Get("--wait"),
                     "\" is not a number of seconds; fix: --wait 300, for example"));
  }
  options.wait = std::chrono::seconds(wait);
  return options;
}

int EnrollNode(const Arguments& arguments, Terminal& terminal) {
  const absl::StatusOr<EnrollOptions> options = MakeEnrollOptions(arguments);
  if (!options.ok()) {
    PrintError(terminal, options.status());
    return kUsage;
  }
  LinuxHost host;
  const absl::StatusOr<EnrollResult> result = Enroll(
      *options, [&host] { return host.Now(); },
      [&terminal](const std::string& line) { terminal.error << line << std::endl; });
  if (!result.ok()) {
    PrintError(terminal, WithFix(result.status(),
                                 "connect-ha token create at the coordinator, then run here what "
                                 "it prints"));
    return absl::IsInvalidArgument(result.status()) ? kUsage : kUnknown;
  }
  const absl::StatusOr<bool> others =
      SetAsideOthers(host, options->state_dir, OwnerOf(result->identity, options->machine_id));
  if (!others.ok()) {
    PrintError(terminal, WithFix(others.status(), "the same command again"));
    return kUnknown;
  }
  const Identity& identity = result->identity.certificate.identity;
  terminal.out << (result->already ? "already enrolled: " : "enrolled: ") << identity.name
               << " in cluster " << identity.cluster << "\n";
  if (*others) {
    terminal.error << "what it was told before is set aside in " << options->state_dir
                   << "/set-aside\n";
  }
  if (result->already) {
    terminal.out << "whether it reports: systemctl status connect-ha-agent\n";
  }
  return kHolds;
}

int ReadShared(const Arguments&, Terminal&) { return ServeSharedReads(0); }

std::vector<Command> Commands() {
  std::vector<Command> commands = {
      {"run",
       "",
       "report this node to its coordinator",
       "What connect-ha-agent.service runs. Waits until the node is enrolled. Most nodes need no "
       "settings; /usr/share/doc/connect-ha-agent/examples/agent.yaml has each with its default.",
       {kConfigOption, kStateDirOption},
       {"connect-ha-agent run"},
       Run},
      {"facts",
       "",
       "print what this node is, as JSON",
       "Reads this node; needs no coordinator. Secrets appear only as keyed digests.",
       {kFullOption, kConfigOption, kStateDirOption},
       {"connect-ha-agent facts", "connect-ha-agent facts --full"},
       Facts},
      {"check",
       "",
       "judge what this node alone can show",
       "Reads this node and judges what one node alone shows of the checklist, by the "
       "specification "
       "that it holds, if any. Needs no coordinator. Prints what fails or is unknown, and what to "
       "do "
       "about it. Without --full, which may take minutes, the licence, installed files and whether "
       "R, Python and Quarto work stay unknown.",
       {{"--all", nullptr, "every item, in groups"},
        {"--output", "FORMAT", "how to print (default table)", "table|json"},
        {"--strict", nullptr, "advice counts for the exit code too"},
        kFullOption,
        kConfigOption,
        kStateDirOption},
       {"connect-ha-agent check", "connect-ha-agent check --full --output json"},
       Check},
      {"preview",
       "",
       "show what would be changed on this node",
       "Compares this node with the specification that it holds. Changes nothing, and needs no "
       "coordinator. Reads every installed file, which may take a minute.",
       {{"--only", "NOUN", "one kind of resource", kNouns},
        {"--output", "FORMAT", "how to print (default table)", "table|json"},
        kConfigOption,
        kStateDirOption},
       {"connect-ha-agent preview", "connect-ha-agent preview --only package --output json"},
       Preview},
      {"preflight",
       "",
       "say whether Connect may start here",
       "What Connect's unit runs before each start (ExecStartPre=). Answers within 32 seconds, "
       "from what this node has: the specification that it holds, what is mounted and whether "
       "that answers, the cluster's mark on it, the database. Needs neither the agent nor the "
       "coordinator. Where the specification is not enforced it only warns; but orders to stop or "
       "to fence, and orders that are damaged or lost, refuse all the same. Where agent.yaml says "
       "allow: observe it never does more than warn. What it comes to is reported; why it refuses "
       "is also shown by systemctl status rstudio-connect, or, where a guard made by hand has no "
       "NotifyAccess=, by journalctl -u rstudio-connect alone.\n\n"
       "With an override it lets the next start through, whatever it finds: once, and not after a "
       "boot. That is reported with its reason, and who gave it, when the agent and the "
       "coordinator "
       "are back, too. It is no help where systemd refuses a start before it runs the preflight: "
       "where the unit is masked, or bound (BindsTo=) to a file system that cannot be mounted. The "
       "override then waits for the start after that; rm /run/connect-ha-agent/preflight-override "
       "takes it back.",
       {{"--explain", nullptr, "show what is looked at, and use no override up"},
        {"--override", "REASON", "let the next start through"},
        kConfigOption,
        kStateDirOption},
       {"connect-ha-agent preflight --explain",
        "connect-ha-agent preflight --override \"the mark was lost with the old file system\""},
       Preflight},
      {"enroll",
       "",
       "join a cluster",
       "Makes a key on this node and exchanges the token for a certificate. May be repeated with "
       "the "
       "same token.",
       {{"--coordinator", "HOST:PORT", "where nodes join, as `connect-ha token create` printed it"},
        {"--ca-hash", "HASH", "of the cluster's certificate authority, sha256:..."},
        {"--token", "TOKEN", "as `connect-ha token create` printed it"},
        {"--token-file", "FILE", "a file that holds the token"},
        {"--node", "NAME", "the name to ask for (default: the short host name)"},
        {"--wait", "SECONDS",
         "keep trying this long if the coordinator does not answer (default 0)"},
        kStateDirOption},
       {"connect-ha-agent enroll --coordinator ha.example.com:8444 --ca-hash sha256:... --token "
        "..."},
       EnrollNode},
      {"check-config",
       "",
       "validate the agent's settings and Connect's configuration file",
       "Prints FILE:LINE:COLUMN: MESSAGE for everything that is wrong. Checks the keys in "
       "/etc/connect-ha/trusted, too.",
       {kConfigOption},
       {"connect-ha-agent check-config"},
       CheckConfig},
      {"read-shared", "", "read files for the agent", "", {}, {}, ReadShared, true},
  };
  for (Command& command : StandardCommands()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace

Program ConnectHaAgent() {
  Program program;
  program.name = "connect-ha-agent";
  program.manual_section = 8;
  program.summary = "reports a node of a Posit Connect high-availability cluster";
  program.description =
      "Reads what this node is and reports it to the cluster's coordinator, which judges Connect's "
      "high-availability checklist. Where the cluster enforces its specification, brings the node "
      "to it, starts and stops Connect as it is told, and answers the load balancer at port 3938 "
      "(/healthz; for people /), from memory: what Connect itself answered last counts for 30 "
      "seconds.";
  program.commands = Commands();
  program.sections = {
      {"Exit status",
       {{"0", "everything holds"},
        {"1", "something fails"},
        {"2", "a mistake in the command or in a configuration file"},
        {"3", "something is unknown or cannot be reached"}}},
      {"Files",
       {{"/etc/connect-ha/agent.yaml", "settings; most nodes need none"},
        {"/etc/connect-ha/trusted",
         "NAME.pub of those whose signed specifications alone this node takes; "
         "without it, what is not signed is taken, too"},
        {"/etc/connect-ha/secrets", "what a specification may fill into Connect's configuration"},
        {"/usr/share/doc/connect-ha-agent/examples/agent.yaml",
         "every setting with its default, to copy"},
        {"/var/lib/connect-ha-agent", "this node's identity, and its orders"},
        {"/lib/systemd/system/connect-ha-gate.socket",
         "where the load balancer asks; another port: systemctl edit connect-ha-gate.socket. Who "
         "asks it has the agent started: systemctl stop connect-ha-gate.socket connect-ha-agent"},
        {"/etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf",
         "binds Connect to its file system, and has preflight run before each start; written where "
         "a specification is enforced that names a mount point, unless the node is observed or "
         "stopped"}}}};
  program.see_also = "connect-ha(1), systemd(1)";
  return program;
}

}  // namespace connect_ha
