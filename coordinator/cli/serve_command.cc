#include "coordinator/cli/commands.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Runs the coordinator until SIGTERM or Ctrl-C. On SIGHUP it loads a renewed certificate, lets in the first admin where connect-ha init made it again, and logs when the file of --spec is not the newest specification. connect-ha-coordinator.service runs this; run it by hand only to debug. It needs what connect-ha init made.)";

}  // namespace

Command ServeCommand(const Environment& environment) {
  Command command = {"serve", "", "Run the coordinator", kDescription};
  command.options = {
      {"--dir", "DIR", "The state directory (default /var/lib/connect-ha)"},
      {"--spec", "FILE",
       "The specification to begin with, until one is applied (default "
       "/etc/connect-ha/cluster.yaml)"},
      {"--listen", "HOST:PORT", "Where to listen (default every address, the port nodes call)"},
      {"--enrol-listen", "HOST:PORT",
       "Where nodes enrol, without a certificate (default as --listen, the next port)"},
      {"--log-level", "LEVEL", "How much to log (default info)", "trace|debug|info|warn|error"}};
  command.examples = {"connect-ha serve --log-level debug",
                      "connect-ha serve --listen 10.0.1.5:8443 --enrol-listen 10.0.1.5:8444"};
  command.run = [&environment](const Arguments& arguments, Terminal&) {
    ServeOptions options;
    options.dir = arguments.Get("--dir", options.dir);
    options.spec = arguments.Get("--spec", options.spec);
    options.listen = arguments.Get("--listen", options.listen);
    options.enrol_listen = arguments.Get("--enrol-listen", options.enrol_listen);
    options.log_level = arguments.Get("--log-level", options.log_level);
    return environment.serve(options);
  };
  return command;
}

}  // namespace connect_ha
