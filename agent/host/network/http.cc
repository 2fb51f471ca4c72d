#include "agent/host/network/http.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/http/easy.h"

namespace connect_ha {
namespace {

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, ListDeleter>;

struct Body {
  std::string text;
  size_t limit = 0;
  bool too_large = false;
};

size_t TakeBody(char* data, size_t, size_t count, void* to) {
  Body& body = *static_cast<Body*>(to);
  if (body.text.size() + count > body.limit) {
    body.too_large = true;
    return 0;
  }
  body.text.append(data, count);
  return count;
}

Headers MakeHeaders(const std::vector<std::string>& lines) {
  Headers headers;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) break;
    if (headers == nullptr) headers.reset(longer);
  }
  return headers;
}

void SetOptions(CURL* easy, const HttpRequest& request, curl_slist* headers, Body& body) {
  const long timeout_ms = static_cast<long>(request.timeout.count());
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_NOBODY, request.method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "connect-ha-agent/" CONNECT_HA_VERSION);
  if (!request.verify_certificate) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

absl::Status Explain(CURLcode code, const HttpRequest& request, const Body& body,
                     const char* detail) {
  const std::string what = absl::StrCat(request.method, " ", request.url, ": ");
  if (body.too_large) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, "the answer is larger than ", body.limit, " bytes"));
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return absl::DeadlineExceededError(
        absl::StrCat(what, "no answer in ", request.timeout.count(), " ms"));
  }
  return absl::UnavailableError(what + ReasonOf(code, detail));
}

}  // namespace

absl::StatusOr<HttpResponse> AskHttp(const HttpRequest& request) {
  const Easy easy = MakeEasy();
  if (easy == nullptr) return absl::InternalError("libcurl cannot start");
  const Headers headers = MakeHeaders(request.headers);
  Body body;
  body.limit = request.body_limit_bytes;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
  SetOptions(easy.get(), request, headers.get(), body);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) return Explain(code, request, body, detail);
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  HttpResponse response;
  response.status = static_cast<int>(status);
  response.body = std::move(body.text);
  return response;
}

}  // namespace connect_ha
