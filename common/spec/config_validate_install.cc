#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

using Runtimes = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

// The path of a URL, without what asks for a part of it: https://a/b.deb?x -> https://a/b.deb.
std::string WithoutQuery(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

bool HasEnding(const std::string& url, const std::vector<const char*>& endings) {
  const std::string name = absl::AsciiStrToLower(WithoutQuery(url));
  return std::any_of(endings.begin(), endings.end(),
                     [&](const char* ending) { return absl::EndsWith(name, ending); });
}

// user:password@ before the host.
bool HasUserInfo(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return false;
  const std::string authority = url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
  return absl::StrContains(authority, "@");
}

class InstallationChecker {
 public:
  InstallationChecker(const v1::ClusterSpec& spec, Checker& checker)
      : spec_(spec), checker_(checker) {}

  void Check() {
    CheckConnect();
    CheckRuntimes(spec_.runtimes().r(), "runtimes.r", "4.3.3", /*packages=*/true);
    CheckRuntimes(spec_.runtimes().python(), "runtimes.python", "3.11.9", /*packages=*/true);
    CheckRuntimes(spec_.runtimes().quarto(), "runtimes.quarto", "1.5.57", /*packages=*/false);
    const v1::RuntimesSpec& runtimes = spec_.runtimes();
    checker_.Require(!runtimes.prune() ||
                         runtimes.r_size() + runtimes.python_size() + runtimes.quarto_size() > 0,
                     "runtimes.prune", "needs a list of versions to keep: r, python or quarto");
    CheckEfsUtils();
    CheckSecrets();
    CheckDownloads();
  }

 private:
  void CheckConnect() {
    const v1::ConnectSpec& connect = spec_.connect();
    const std::string& version = connect.version();
    checker_.Require(!connect.has_version() || IsConnectVersion(version), "connect.version",
                     absl::StrCat("must be a version as 2024.08.0, not \"", version, "\""));
    checker_.Require(!connect.has_package() || connect.has_version(), "connect.package",
                     "needs connect.version beside it, which the package is checked to be");
    if (connect.has_package()) CheckPackage(connect.package(), "connect.package", version);
    checker_.Require(!connect.allow_downgrade() || connect.has_package(), "connect.allow_downgrade",
                     "needs connect.package, as nothing else installs a version");
    CheckFileName(connect.has_config(), connect.config(), "connect.config", "rstudio-connect.gcfg");
    CheckFileName(connect.has_license(), connect.license().file(), "connect.license.file",
                  "connect.lic");
  }

  void CheckFileName(bool given, const std::string& name, const std::string& path,
                     const char* example) {
    checker_.Require(!given || IsNameBelow(name), path,
                     absl::StrCat("must be a file beside the specification, as ", example,
                                  name.empty() ? "" : absl::StrCat(", not \"", name, "\"")));
  }

  void CheckRuntimes(const Runtimes& runtimes, const std::string& path, const std::string& example,
                     bool packages) {
    constexpr int kMost = 50;
    checker_.Require(runtimes.size() <= kMost, path, absl::StrCat("must be at most ", kMost));
    std::map<std::string, int> seen;
    for (int i = 0; i < runtimes.size(); ++i) {
      const v1::RuntimeSpec& runtime = runtimes[i];
      const std::string& version = runtime.version();
      const std::string place = absl::StrCat(path, "[", i, "]");
      const std::string version_place = place + ".version";
      if (version.empty()) {
        checker_.Require(false, version_place,
                         absl::StrCat("is missing; write {version: ", example, "}"));
      } else {
        checker_.Require(
            IsFullVersion(version), version_place,
            absl::StrCat("must be a full version as ", example, ", not \"", version, "\""));
        checker_.Require(seen.emplace(version, i).second, version_place,
                         absl::StrCat("is \"", version, "\" a second time"));
      }
      CheckRuntimeArtifact(runtime, place, packages);
    }
  }

  void CheckRuntimeArtifact(const v1::RuntimeSpec& runtime, const std::string& place,
                            bool packages) {
    checker_.Require(!runtime.has_archive() || !packages, place + ".archive",
                     "is for Quarto; R and Python come as a .deb: write package");
    checker_.Require(!runtime.has_package() || packages, place + ".package",
                     "is for R and Python; Quarto comes as a .tar.gz: write archive");
    if (runtime.has_package() && packages) {
      CheckPackage(runtime.package(), place + ".package", runtime.version());
    }
    if (runtime.has_archive() && !packages) {
      CheckArtifact(runtime.archive(), place + ".archive", runtime.version());
      checker_.Require(!HasEnding(runtime.archive().url(), {".deb", ".rpm", ".zip", ".pkg"}),
                       place + ".archive.url", "must be of a .tar.gz");
    }
  }

  void CheckPackage(const v1::Artifact& package, const std::string& path,
                    const std::string& version) {
    CheckArtifact(package, path, version);
    checker_.Require(!HasEnding(package.url(), {".rpm"}), path + ".url",
                     "is of an .rpm; only Debian and Ubuntu are known so far: take the .deb");
    checker_.Require(!HasEnding(package.url(), {".gz", ".zip", ".xz"}), path + ".url",
                     "must be of a .deb");
  }

  void CheckArtifact(const v1::Artifact& artifact, const std::string& path,
                     const std::string& version) {
    CheckUrl(artifact.url(), path + ".url");
    const std::string& sha256 = artifact.sha256();
    const std::string place = path + ".sha256";
    if (sha256.empty()) {
      checker_.Require(false, place, "is missing; to see a file's: sha256sum FILE");
    } else if (!IsSha256(sha256)) {
      checker_.Require(
          false, place,
          absl::StrCat("must be 64 hex digits in lower case, as sha256sum prints them"
                       ", not ",
                       sha256.size() == 64 ? absl::StrCat("\"", sha256, "\"")
                                           : absl::StrCat(sha256.size(), " characters")));
    } else {
      CheckAgainstOthers(artifact, path, version);
    }
  }

  // One file is one thing.
  void CheckAgainstOthers(const v1::Artifact& artifact, const std::string& path,
                          const std::string& version) {
    const auto [url, new_url] = by_url_.emplace(artifact.url(), path);
    const auto [digest, new_digest] = by_digest_.emplace(artifact.sha256(), path);
    if (!new_url && !artifact.url().empty()) {
      checker_.Require(false, path + ".url", absl::StrCat("is that of ", url->second, " too"));
    } else if (!new_digest) {
      checker_.Require(false, path + ".sha256",
                       absl::StrCat("is that of ", digest->second, " too",
                                    version.empty() ? "" : ", which is something else"));
    }
  }

  void CheckUrl(const std::string& url, const std::string& path) {
    const v1::DownloadsSpec& downloads = spec_.downloads();
    if (url.empty()) {
      checker_.Require(false, path, "is missing");
      return;
    }
    checker_.Require(!HasBlank(url), path, "must be a URL without blanks (%20 stands for one)");
    const bool http = absl::StartsWith(url, "http://");
    const bool file = absl::StartsWith(url, "file://");
    if (http) {
      checker_.Require(downloads.allow_http(), path,
                       "must begin with https://, or write downloads: {allow_http: true}");
    } else if (file) {
      checker_.Require(downloads.allow_file(), path,
                       "must begin with https://, or write downloads: {allow_file: true}");
      checker_.Require(absl::StartsWith(url, "file:///"), path,
                       "must go on with an absolute path: file:///srv/...");
    } else {
      checker_.Require(absl::StartsWith(url, "https://"), path, "must begin with https://");
    }
    checker_.Require(!HasUserInfo(url), path,
                     "must not have a user or password in it: specifications are kept and shown");
  }

  void CheckEfsUtils() {
    const v1::StorageSpec& storage = spec_.storage();
    if (!storage.has_efs_utils()) return;
    checker_.Require(storage.has_efs(), "storage.efs_utils", "is for storage.efs");
    CheckPackage(storage.efs_utils(), "storage.efs_utils", "");
  }

  void CheckSecrets() {
    constexpr int kMost = 200;
    checker_.Require(spec_.secrets_size() <= kMost, "secrets",
                     absl::StrCat("must be at most ", kMost));
    const std::map<std::string, v1::SecretSpec> secrets(spec_.secrets().begin(),
                                                        spec_.secrets().end());
    for (const auto& [name, secret] : secrets) {
      const std::string path = absl::StrCat("secrets.", name);
      const auto is_word = [](const std::string& text, const char* more) {
        return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
          return absl::ascii_isalnum(c) || absl::StrContains(more, std::string(1, c));
        });
      };
      checker_.Require(is_word(name, "_-"), path, "must be of letters, digits, _ and -");
      if (secret.source_case() == v1::SecretSpec::kFile) {
        checker_.Require(IsSecretFile(secret.file()), path + ".file",
                         absl::StrCat("must be a file on every node below ", kSecretsDirectory,
                                      ", as ", kSecretsDirectory, "/", name));
      } else if (secret.source_case() == v1::SecretSpec::kCredential) {
        checker_.Require(is_word(secret.credential(), "_-."), path + ".credential",
                         "must be the name of a systemd credential (LoadCredential=NAME:...)");
      } else {
        checker_.Require(false, path, "needs a file or a credential");
      }
    }
  }

  void CheckDownloads() {
    const v1::DownloadsSpec& downloads = spec_.downloads();
    constexpr uint64_t kMost = 1ull << 40;
    checker_.Require(!downloads.has_limit_bytes() || downloads.limit_bytes() > 0,
                     "downloads.limit_bytes", "must be more than 0");
    checker_.Require(downloads.limit_bytes() <= kMost, "downloads.limit_bytes",
                     "must be at most 1099511627776, which is 1 TiB");
  }

  const v1::ClusterSpec& spec_;
  Checker& checker_;
  std::map<std::string, std::string> by_url_;
  std::map<std::string, std::string> by_digest_;
};

}  // namespace

void CheckInstallation(const v1::ClusterSpec& spec, Checker& checker) {
  InstallationChecker(spec, checker).Check();
}

}  // namespace connect_ha
