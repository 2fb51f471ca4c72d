#include "agent/host/network/fetch_http.h"

#include <openssl/x509_vfy.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/network/fetch_answer.h"
#include "common/http/easy.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr long kMostRedirects = 5;
constexpr long kSlowestBytesPerSecond = 1024;

// One request. libcurl's callbacks cannot say why they stop it: they leave that in failure_.
class Transfer {
 public:
  Transfer(const HttpFetch& fetch, PartialFile& file)
      : fetch_(fetch), file_(file), easy_(MakeEasy()), asked_from_(file.size()) {}

  // FailedPrecondition with range_refused(): the file is to be started over.
  absl::Status Run();
  bool range_refused() const { return range_refused_; }

 private:
  static size_t TakeHeader(char* data, size_t, size_t count, void* self);
  static size_t TakeBody(char* data, size_t, size_t count, void* self);
  static int TakeProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  void SetOptions();
  void SetProtocols();
  int HttpStatus() const;
  absl::Status Begin();
  absl::Status BeginPart();
  absl::Status Finish();
  absl::Status Explain(CURLcode code);
  absl::Status ExplainTimeout();
  absl::Status ExplainCertificate(const std::string& why);
  absl::Status ExplainRedirect(const std::string& why);
  std::string What() const { return absl::StrCat("cannot fetch ", fetch_.url.shown, ": "); }
  std::string HowFar() const;

  const HttpFetch& fetch_;
  PartialFile& file_;
  Easy easy_;
  const uint64_t asked_from_;
  AnswerHeaders headers_;
  bool begun_ = false;
  bool range_refused_ = false;
  uint64_t total_bytes_ = 0;  // 0: not known
  absl::Status failure_;
  char detail_[CURL_ERROR_SIZE] = "";
};

size_t Transfer::TakeHeader(char* data, size_t, size_t count, void* self) {
  TakeHeaderLine(std::string_view(data, count), static_cast<Transfer*>(self)->headers_);
  return count;
}

size_t Transfer::TakeBody(char* data, size_t, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.begun_) transfer.failure_ = transfer.Begin();
  if (transfer.failure_.ok()) transfer.failure_ = transfer.file_.Append(data, count);
  return transfer.failure_.ok() ? count : 0;
}

int Transfer::TakeProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<Transfer*>(self);
  const FetchProgress& progress = transfer.fetch_.progress;
  return !progress || progress(transfer.file_.size(), transfer.total_bytes_) ? 0 : 1;
}

void Transfer::SetProtocols() {
#if LIBCURL_VERSION_NUM >= 0x075500
  const char* protocols = fetch_.request.allow_http ? "http,https" : "https";
  curl_easy_setopt(easy_.get(), CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(easy_.get(), CURLOPT_REDIR_PROTOCOLS_STR, protocols);
#else
  const long protocols = CURLPROTO_HTTPS | (fetch_.request.allow_http ? CURLPROTO_HTTP : 0);
  curl_easy_setopt(easy_.get(), CURLOPT_PROTOCOLS, protocols);
  curl_easy_setopt(easy_.get(), CURLOPT_REDIR_PROTOCOLS, protocols);
#endif
}

void Transfer::SetOptions() {
  CURL* easy = easy_.get();
  // None, to libcurl, is no limit.
  const long stall_seconds = std::max(1L, static_cast<long>(fetch_.request.stall_limit.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(easy, CURLOPT_URL, fetch_.request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "connect-ha-agent/" CONNECT_HA_VERSION);
  // What resuming and cut answers look like is simplest there.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!fetch_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, fetch_.ca_file.c_str());
  SetProtocols();
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMostRedirects);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, stall_seconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, stall_seconds);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, TakeProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  // Not CURLOPT_RESUME_FROM: it fails where a server sends the whole file instead of the rest.
  if (asked_from_ > 0) {
    curl_easy_setopt(easy, CURLOPT_RANGE, absl::StrCat(asked_from_, "-").c_str());
  }
}

int Transfer::HttpStatus() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

// The answer's headers are there, its body is to come.
absl::Status Transfer::Begin() {
  begun_ = true;
  const int status = HttpStatus();
  absl::Status ready;
  if (status == 206 && asked_from_ > 0) {
    ready = BeginPart();
  } else if (status == 200) {
    ready = file_.Restart();
  } else {
    return StatusOfAnswer(status, fetch_.url.shown);
  }
  if (!ready.ok()) return ready;
  curl_off_t length = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0) return absl::OkStatus();
  total_bytes_ = file_.size() + static_cast<uint64_t>(length);
  return file_.Expect(total_bytes_);
}

absl::Status Transfer::BeginPart() {
  if (headers_.range.first == asked_from_) return absl::OkStatus();
  range_refused_ = true;
  return absl::FailedPreconditionError(What() + "the server sends another part than was asked for");
}

absl::Status Transfer::Run() {
  if (easy_ == nullptr) return absl::InternalError("libcurl cannot start");
  SetOptions();
  const CURLcode code = curl_easy_perform(easy_.get());
  if (asked_from_ > 0 && HttpStatus() == 416) {
    if (headers_.range.total == asked_from_) return file_.Sync();
    range_refused_ = true;
    return StatusOfAnswer(416, fetch_.url.shown);
  }
  if (!failure_.ok()) return failure_;
  return code == CURLE_OK ? Finish() : Explain(code);
}

absl::Status Transfer::Finish() {
  if (!begun_) {  // an empty body
    const absl::Status begun = Begin();
    if (!begun.ok()) return begun;
  }
  return file_.Sync();
}

std::string Transfer::HowFar() const {
  std::string text = absl::StrCat(" after ", file_.size());
  if (total_bytes_ > 0) absl::StrAppend(&text, " of ", total_bytes_);
  return text + " bytes";
}

absl::Status Transfer::Explain(CURLcode code) {
  const std::string why = ReasonOf(code, detail_);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError(absl::StrCat("stopped fetching ", fetch_.url.shown, HowFar()));
    case CURLE_OPERATION_TIMEDOUT:
      return ExplainTimeout();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return ExplainCertificate(why);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
      return ExplainRedirect(why);
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::UnavailableError(
          absl::StrCat(What(), why, "\nfix: see what this node's resolver says: getent hosts ",
                       ShellOperand(fetch_.url.host)));
    default:
      break;
  }
  long proxy_status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status == 407) return StatusOfAnswer(407, fetch_.url.shown);
  return absl::UnavailableError(absl::StrCat(What(), why, begun_ ? HowFar() : ""));
}

absl::Status Transfer::ExplainTimeout() {
  const auto seconds = fetch_.request.stall_limit.count();
  curl_off_t connected = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
  if (connected == 0) {
    return absl::DeadlineExceededError(absl::StrCat(
        What(), "no connection in ", seconds,
        " s\nfix: allow it in this node's security group and routes, or set https_proxy "
        "in the environment of connect-ha-agent.service"));
  }
  return absl::DeadlineExceededError(absl::StrCat(What(), "next to nothing came for ", seconds,
                                                  " s", begun_ ? "," : "", begun_ ? HowFar() : ""));
}

absl::Status Transfer::ExplainCertificate(const std::string& why) {
  long verified = X509_V_OK;
  curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &verified);
  std::string fix =
      "if the server is the right one, put its authority's certificate into "
      "/usr/local/share/ca-certificates/NAME.crt, then: update-ca-certificates";
  if (absl::StrContains(why, "target host name")) {
    fix = "use a host name that the server's certificate has";
  }
  if (verified == X509_V_ERR_CERT_HAS_EXPIRED || verified == X509_V_ERR_CERT_NOT_YET_VALID) {
    fix =
        "see whether this node's clock is right: timedatectl; if so, renew the server's "
        "certificate";
  }
  return absl::FailedPreconditionError(absl::StrCat(What(), why, "\nfix: ", fix));
}

absl::Status Transfer::ExplainRedirect(const std::string& why) {
  const std::string to =
      absl::StrContains(headers_.location, "://") ? ShownUrl(headers_.location) : "";
  std::string text = absl::StrCat(What(), "redirected", to.empty() ? "" : " to " + to, ": ", why);
  if (absl::StartsWithIgnoreCase(to, "http://") && !fetch_.request.allow_http) {
    text +=
        "\nfix: use an address that stays on https, or set downloads: {allow_http: true} in "
        "cluster.yaml";
  }
  return absl::FailedPreconditionError(text);
}

}  // namespace

absl::Status FetchHttp(const HttpFetch& fetch, PartialFile& file) {
  Transfer rest(fetch, file);
  const absl::Status fetched = rest.Run();
  if (!rest.range_refused()) return fetched;
  const absl::Status restarted = file.Restart();
  if (!restarted.ok()) return restarted;
  return Transfer(fetch, file).Run();
}

}  // namespace connect_ha
