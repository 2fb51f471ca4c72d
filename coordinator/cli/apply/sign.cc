#include "coordinator/cli/apply/sign.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/spec/spec_bundle.h"
#include "common/text/shell_word.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

}  // namespace

absl::StatusOr<SigningKey> ReadSigningKey(const std::string& path) {
  std::error_code error;
  const fs::perms mode = fs::status(path, error).permissions();
  constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
  if (!error && fs::exists(path, error) && (mode & kOthers) != fs::perms::none) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " can be read by others; fix: chmod 0600 ", ShellOperand(path),
        ", and consider whether the key still is a secret (connect-ha key create makes another)"));
  }
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat("there is no key ", path, "; fix: connect-ha key create ", ShellWord(path)));
  }
  if (!text.ok()) return text.status();
  absl::StatusOr<SigningKey> key = ParseSigningKeyFile(*text);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(
      absl::StrCat(path, " ", key.status().message(), "; fix: connect-ha key create makes one"));
}

absl::Status SignProposal(const SigningKey& key, AdminLink& admin, uint64_t newest,
                          Proposal& proposal) {
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return snapshot.status();
  uint64_t above = newest;
  for (const v1::NodeSnapshot& node : snapshot->nodes()) {
    const uint64_t held = node.reported_generation();
    // A coordinator takes no number that is further above its newest.
    if (held > newest && held - newest <= kGenerationsAbove) above = std::max(above, held);
  }
  const absl::StatusOr<v1::SignedSpec> is_signed =
      SignSpec(ToSign(proposal.bundle, above + 1), key);
  if (!is_signed.ok()) return is_signed.status();
  *proposal.bundle.mutable_signed_spec() = *is_signed;
  return absl::OkStatus();
}

absl::StatusOr<v1::SpecBundle> AsWritten(const v1::SpecBundle& bundle, const std::string& name) {
  v1::SpecBundle written;
  std::vector<ConfigProblem> problems = ParseYaml(bundle.source(), name, *written.mutable_spec());
  if (!HasErrors(problems)) {
    written.set_source(bundle.source());
    if (bundle.has_connect_config()) written.set_connect_config(bundle.connect_config());
    if (bundle.has_license()) written.set_license(bundle.license());
    problems = CheckSpecBundle(written, name);
  }
  if (!HasErrors(problems)) return written;
  std::string text = FormatProblems(problems);
  text.pop_back();
  return absl::InvalidArgumentError(absl::StrCat(
      text, "\nfix: correct it (connect-ha spec show), then: connect-ha apply FILE --sign KEY"));
}

}  // namespace connect_ha
