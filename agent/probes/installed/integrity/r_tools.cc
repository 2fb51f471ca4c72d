#include "agent/probes/installed/integrity/r_tools.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

constexpr absl::string_view kEtc = "/R/etc/";
constexpr absl::string_view kLibrary = "/R/library/";
constexpr absl::string_view kPackageIndex = "/R/doc/html/packages.html";

constexpr absl::string_view kRewritten[] = {"Makeconf", "ldpaths", "javaconf", "Renviron.site",
                                            "Rprofile.site"};

// They come with R and are of its version; install.packages() refuses them.
constexpr absl::string_view kOwnPackages[] = {
    "base",    "compiler", "datasets", "graphics", "grDevices", "grid",  "methods",     "parallel",
    "splines", "stats",    "stats4",   "tcltk",    "tools",     "utils", "translations"};

template <size_t N>
bool IsOneOf(const absl::string_view (&names)[N], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The value of "Name: value" in a DESCRIPTION; "" for none.
std::string Field(absl::string_view description, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(description, '\n')) {
    if (absl::ConsumePrefix(&line, absl::StrCat(name, ":"))) {
      return std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return "";
}

// Each of them is made anew by its tool; an empty one is nobody's work.
absl::StatusOr<bool> IsWritten(Host& host, const std::string& path) {
  const absl::StatusOr<FileStatus> status = host.Stat(path);
  if (absl::IsNotFound(status.status())) return false;
  if (!status.ok()) return status.status();
  return status->size_bytes > 0;
}

// `directory`: of one package in R's library.
absl::StatusOr<bool> WasInstalledAnew(Host& host, const ShippedFiles& shipped,
                                      const std::string& directory) {
  const std::string description = absl::StrCat(directory, "/DESCRIPTION");
  const std::string shipped_md5 = shipped.Md5(description);
  if (shipped_md5.empty()) return false;
  const absl::StatusOr<std::string> text = host.ReadFile(description);
  if (absl::IsNotFound(text.status())) return false;
  if (!text.ok()) return text.status();
  const std::string name = directory.substr(directory.rfind('/') + 1);
  if (Field(*text, "Package") != name || Field(*text, "Version").empty()) return false;
  const absl::StatusOr<std::string> md5 = host.HashFile(description, "md5");
  if (!md5.ok()) return md5.status();
  return *md5 != shipped_md5;
}

}  // namespace

absl::StatusOr<bool> ExplainedByR(Host& host, const ShippedFiles& shipped, const std::string& fault,
                                  const std::string& path) {
  if (absl::StrContains(path, kEtc)) {
    const bool rewritten = IsOneOf(kRewritten, path.substr(path.rfind('/') + 1));
    if (!rewritten || fault == "missing") return false;
    return IsWritten(host, path);
  }
  if (absl::EndsWith(path, kPackageIndex)) return IsWritten(host, path);
  const size_t library = path.find(std::string(kLibrary));
  if (library == std::string::npos) return false;
  const size_t name = library + kLibrary.size();
  const size_t end = path.find('/', name);
  if (end == std::string::npos || IsOneOf(kOwnPackages, path.substr(name, end - name))) {
    return false;
  }
  return WasInstalledAnew(host, shipped, path.substr(0, end));
}

}  // namespace connect_ha
