#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/spec/signed_spec.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Makes a key that signs specifications, and prints its public half. Nodes that have that line in /etc/connect-ha/trusted/NAME.pub take only what is signed with the key (connect-ha apply --sign FILE), whatever the coordinator says.

Keep the file away from the coordinator's host, and a copy of it in a safe place: without it, nodes that trust no other signer take nothing new until somebody changes that directory on each of them.)";

int Run(const Arguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positional[0];
  if (FileExists(path)) {
    return Fail(terminal, absl::AlreadyExistsError(absl::StrCat(
                              path,
                              " is there already, and a key is never replaced; fix: name "
                              "another file")));
  }
  const absl::StatusOr<std::string> text = MakeSigningKeyFile();
  if (!text.ok()) return Fail(terminal, text.status());
  const absl::StatusOr<SigningKey> key = ParseSigningKeyFile(*text);
  if (!key.ok()) return Fail(terminal, key.status());
  const absl::Status written = WriteSmallFile(path, *text, 0600);
  if (!written.ok()) return Fail(terminal, written);
  terminal.error
      << "made " << path
      << "; on each node, as root, write this line into /etc/connect-ha/trusted/NAME.pub "
         "(0644), then: systemctl restart connect-ha-agent\n";
  terminal.out << PublicKeyLine(key->public_key);
  return kHolds;
}

}  // namespace

Command KeyCreateCommand() {
  Command command = {"key create", "FILE", "Make a key that signs specifications", kDescription};
  command.examples = {"connect-ha key create ~/.config/connect-ha-signing.key"};
  command.run = Run;
  return command;
}

}  // namespace connect_ha
