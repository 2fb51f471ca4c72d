#include "agent/host/network/fetch_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

// Null: not a URL.
Url Parse(const std::string& text) {
  // libcurl takes spaces in some versions.
  if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c <= ' '; }))
    return nullptr;
  Url url(curl_url());
  if (url == nullptr) return nullptr;
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return nullptr;
  }
  return url;
}

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::string Shown(CURLU* url) {
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                               CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(url, part, nullptr, 0);
  }
  return Part(url, CURLUPART_URL);
}

absl::Status CheckScheme(const FetchUrl& url, const FetchRequest& request) {
  const std::string what = absl::StrCat("cannot fetch ", url.shown, ": ");
  if (url.scheme == "https") return absl::OkStatus();
  const bool known = url.scheme == "http" || url.scheme == "file";
  if (!known) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, url.scheme, " is not a way to fetch a file\nfix: use an https:// address"));
  }
  const bool allowed = url.scheme == "http" ? request.allow_http : request.allow_file;
  if (allowed) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, url.scheme, " is not allowed\nfix: use an https:// address, or set ",
                   "downloads: {allow_", url.scheme, ": true} in cluster.yaml"));
}

}  // namespace

absl::StatusOr<FetchUrl> ParseFetchUrl(const FetchRequest& request) {
  const Url url = Parse(request.url);
  if (url == nullptr) {
    // Its text may hold a password in a place where no parser finds it.
    return absl::FailedPreconditionError(
        "cannot fetch: the address is not a URL\nfix: write it as https://HOST/PATH, with special "
        "characters as %XX");
  }
  FetchUrl parsed;
  parsed.scheme = Part(url.get(), CURLUPART_SCHEME);
  parsed.host = Part(url.get(), CURLUPART_HOST);
  parsed.path = Part(url.get(), CURLUPART_PATH, CURLU_URLDECODE);
  parsed.shown = Shown(url.get());
  const absl::Status allowed = CheckScheme(parsed, request);
  if (!allowed.ok()) return allowed;
  return parsed;
}

std::string ShownUrl(const std::string& url) {
  const Url parsed = Parse(url);
  return parsed == nullptr ? "an address that is not a URL" : Shown(parsed.get());
}

}  // namespace connect_ha
