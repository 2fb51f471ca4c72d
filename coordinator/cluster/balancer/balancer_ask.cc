#include "coordinator/cluster/balancer/balancer_ask.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <cstddef>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/http/easy.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr size_t kMostBytes = 64 * 1024;
constexpr long kRedirect = 300;
constexpr long kRefused = 400;
constexpr long kServerError = 500;

// What is kept of an answer.
struct Taken {
  std::string body;
  std::string node;  // by the header
};

size_t TakeBody(char* data, size_t, size_t count, void* to) {
  std::string& body = static_cast<Taken*>(to)->body;
  if (body.size() + count > kMostBytes) return 0;
  body.append(data, count);
  return count;
}

size_t TakeHeader(char* data, size_t, size_t count, void* to) {
  const std::string_view line(data, count);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  if (!absl::EqualsIgnoreCase(std::string(line.substr(0, colon)), kNodeHeader)) return count;
  const std::string value(line.substr(colon + 1));
  static_cast<Taken*>(to)->node = std::string(absl::StripAsciiWhitespace(value));
  return count;
}

void SetOptions(CURL* easy, const std::string& url, std::chrono::milliseconds deadline,
                Taken& taken) {
  const long timeout_ms = static_cast<long>(deadline.count());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Another one's answer would be taken for the balancer's.
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "connect-ha/" CONNECT_HA_VERSION);
  curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");  // keeps cookies, in memory
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &taken);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &taken);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

BalancerAnswer Failed(const std::string& why) { return {"", ShortText(why, kTextBytes)}; }

// "it answers 301, with https://connect.example.com/...": load_balancer.url is to be that.
BalancerAnswer SentElsewhere(CURL* easy, long status) {
  char* to = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
  const std::string where = to == nullptr ? "" : absl::StrCat(", with ", to);
  return Failed(absl::StrCat("it answers ", status, where));
}

BalancerAnswer Ask(CURL* easy, const std::string& url, std::chrono::milliseconds deadline) {
  if (easy == nullptr) return Failed("libcurl cannot start");
  Taken taken;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  SetOptions(easy, url, deadline, taken);
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Failed(absl::StrCat("no answer in ", deadline.count(), " ms"));
  }
  if (code != CURLE_OK) return Failed(ReasonOf(code, detail));
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (status >= kServerError) return Failed(absl::StrCat("it answers ", status));
  const std::string node = taken.node.empty() ? HostnameIn(taken.body) : taken.node;
  const bool is_elsewhere = status >= kRedirect && status < kRefused;
  if (node.empty() && is_elsewhere) return SentElsewhere(easy, status);
  return {ShortText(node, kNameBytes), ""};
}

}  // namespace

BalancerVisitor AskBalancer(const std::string& url) {
  const auto easy = std::make_shared<Easy>(MakeEasy());
  const std::string asked = absl::StrCat(absl::StripSuffix(url, "/"), kHostnamePath);
  return [easy, asked](std::chrono::milliseconds deadline) {
    return Ask(easy->get(), asked, deadline);
  };
}

std::string HostnameIn(const std::string& json) {
  google::protobuf::Struct settings;
  if (!google::protobuf::util::JsonStringToMessage(json, &settings).ok()) return "";
  const auto hostname = settings.fields().find("hostname");
  return hostname == settings.fields().end() ? "" : hostname->second.string_value();
}

}  // namespace connect_ha
