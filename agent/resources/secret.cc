#include "agent/resources/secret.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/spec/config_checker.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

absl::Status Refuse(const std::string& name, const std::string& why, const std::string& fix) {
  return absl::FailedPreconditionError(absl::StrCat("secret ", name, ": ", why, "\nfix: ", fix));
}

absl::Status CheckRootsAlone(const std::string& name, const std::string& path,
                             const FileStatus& status) {
  if (status.kind != FileStatus::Kind::kFile) {
    return Refuse(name, path + " is not a file", "put the secret's value into a file of that name");
  }
  if (status.uid == 0 && (status.mode == 0600 || status.mode == 0400)) return absl::OkStatus();
  return Refuse(name,
                absl::StrFormat("%s has owner %d and mode %04o, so that others than root may have "
                                "read it",
                                path, status.uid, status.mode),
                absl::StrCat("chown root: ", ShellWord(path), " && chmod 0600 ", ShellWord(path),
                             ", and consider whether the secret still is one"));
}

absl::StatusOr<std::string> ReadSecretFile(const ResourceContext& context, const std::string& name,
                                           const std::string& path, const std::string& fix) {
  absl::StatusOr<std::string> text = context.host.ReadFile(path);
  if (absl::IsNotFound(text.status())) return Refuse(name, "there is no " + path, fix);
  if (!text.ok()) return text.status();
  absl::string_view value = *text;
  absl::ConsumeSuffix(&value, "\n");
  if (value.empty()) return Refuse(name, path + " is empty", fix);
  return std::string(value);
}

absl::StatusOr<std::string> FromFile(const ResourceContext& context, const std::string& name,
                                     const std::string& path) {
  // Else a specification could have any file of root's written where it is shown or sent.
  if (!IsSecretFile(path)) {
    return Refuse(name, absl::StrCat(path, " is not below ", kSecretsDirectory),
                  absl::StrCat("put it at ", kSecretsDirectory, "/", name,
                               " on each node, write that into the specification and apply it"));
  }
  const std::string fix =
      absl::StrCat("install -m 0600 /dev/stdin ", ShellWord(path), " on this node");
  const absl::StatusOr<FileStatus> status = context.host.LStat(path);
  if (absl::IsNotFound(status.status())) return Refuse(name, "there is no " + path, fix);
  if (!status.ok()) return status.status();
  absl::Status alone = CheckRootsAlone(name, path, *status);
  if (!alone.ok()) return alone;
  return ReadSecretFile(context, name, path, fix);
}

absl::StatusOr<std::string> FromCredential(const ResourceContext& context, const std::string& name,
                                           const std::string& credential) {
  const std::string fix = absl::StrCat(
      "systemctl edit connect-ha-agent: [Service] LoadCredential=", credential, ":PATH");
  if (context.credentials_dir.empty() || credential.find('/') != std::string::npos) {
    return Refuse(name, absl::StrCat("the agent's service has no credential ", credential), fix);
  }
  return ReadSecretFile(context, name, absl::StrCat(context.credentials_dir, "/", credential), fix);
}

}  // namespace

absl::StatusOr<std::string> ResolveSecret(const ResourceContext& context, const std::string& name) {
  const auto& secrets = context.desired.spec().secrets();
  const auto secret = secrets.find(name);
  if (secret != secrets.end() && secret->second.source_case() == v1::SecretSpec::kFile) {
    return FromFile(context, name, secret->second.file());
  }
  if (secret != secrets.end() && secret->second.source_case() == v1::SecretSpec::kCredential) {
    return FromCredential(context, name, secret->second.credential());
  }
  return Refuse(name, "the specification does not say where it is",
                absl::StrCat("secrets: {", name, ": {file: PATH}}"));
}

}  // namespace connect_ha
