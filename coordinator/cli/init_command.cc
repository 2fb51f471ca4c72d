#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Makes a cluster's certificate authority, the coordinator's and the first admin's certificates, and a commented example of cluster.yaml. Run it once, as root, on the coordinator's host. Run it again to make what is missing or expired; the rest is kept, and the authority is never replaced.

Keep a copy of the ca directory in a safe place: whoever has it can make certificates, and without it every node has to join again.

With another --address the nodes learn it when they renew their certificates, within three weeks, and the one before has to lead here until then; restart the coordinator for it. Where nobody with the role admin is left, init makes the first admin again, and systemctl reload connect-ha-coordinator lets it in.)";

absl::Status NeedsRoot(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kPermissionDenied) return status;
  return absl::PermissionDeniedError(
      absl::StrCat(status.message(), "; fix: run it as root: sudo connect-ha init ..."));
}

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  InitOptions options;
  options.dir = arguments.Get("--dir", "/var/lib/connect-ha");
  options.spec = arguments.Get("--spec", "/etc/connect-ha/cluster.yaml");
  options.cluster = arguments.Get("--cluster");
  options.address = arguments.Get("--address");
  options.hosts = absl::StrSplit(arguments.Get("--host"), ',', absl::SkipEmpty());
  const auto result = environment.init(options);
  if (!result.ok()) return Fail(terminal, NeedsRoot(result.status()));
  terminal.out << "cluster " << result->cluster << ", coordinator " << result->address << "\n"
               << "nodes join at " << result->join_address << "\n\n";
  for (const std::string& path : result->made) terminal.out << "  made  " << path << "\n";
  for (const std::string& path : result->kept) terminal.out << "  kept  " << path << "\n";
  terminal.out << "\nThe hash of the certificate authority, to compare:\n  " << result->ca_hash
               << "\n\nNext:\n"
               << "  systemctl enable --now connect-ha-coordinator\n"
               << "  connect-ha token create --node node-1\n"
               << "  connect-ha checklist\n";
  return kHolds;
}

}  // namespace

Command InitCommand(const Environment& environment) {
  Command command = {"init", "", "Make a new cluster's certificates and example files",
                     kDescription};
  command.options = {
      {"--cluster", "NAME", "The cluster's name: letters a-z, digits and -"},
      {"--address", "HOST[:PORT]",
       "Where nodes and admins reach the coordinator (port 8443, to join the next one)"},
      {"--host", "NAMES", "More names and addresses for its certificate, separated by commas"},
      {"--dir", "DIR", "The state directory (default /var/lib/connect-ha)"},
      {"--spec", "FILE", "The example (default /etc/connect-ha/cluster.yaml)"}};
  command.examples = {"connect-ha init --cluster analytics --address coordinator.example.internal",
                      "connect-ha init --host 10.0.1.7,coordinator"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
