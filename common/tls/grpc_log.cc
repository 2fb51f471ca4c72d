#include "common/tls/grpc_log.h"

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/log.h"
#include "common/log_pace.h"

namespace connect_ha {
namespace {

// What OpenSSL's words mean when a caller is refused; both of OpenSSL 1.1.1 and 3.0.
struct Meaning {
  const char* words;
  const char* meaning;
};
constexpr Meaning kMeanings[] = {
    {"certificate verify failed",
     "the caller's certificate is of another authority than this cluster's, or has expired"},
    {"peer did not return a certificate",
     "the caller has no certificate; a node gets one on the port of enrolment, the next one"},
    {"http request", "the caller speaks HTTP without TLS"},
    {"wrong version number", "the caller does not speak TLS"},
    {"packet length too long", "the caller does not speak TLS"},
    {"unknown protocol", "the caller does not speak TLS"},
    {"unsupported protocol", "the caller's TLS is older than 1.2"},
    {"unknown ca", "the caller trusts another authority than this cluster's"},
    {"bad certificate", "the caller does not take this coordinator's certificate"},
    {"certificate expired", "the caller takes this coordinator's certificate for expired"},
};

// Threads of gRPC may still say something when the process ends: never destroyed.
LogPace& Pace() {
  static LogPace& pace = *std::make_unique<LogPace>().release();
  return pace;
}

bool MayTell(const std::string& text) {
  return Pace().Allows(text, std::chrono::time_point_cast<Time::duration>(Time::clock::now()));
}

template <GrpcSide side>
void Tell(gpr_log_func_args* said) {
  const std::string line(said->message);
  const std::string why = WhyHandshakeFailed(line);
  if (said->severity != GPR_LOG_SEVERITY_ERROR || (side == GrpcSide::kClient && !why.empty())) {
    spdlog::debug("event=GRPC text={}", LogValue(line));
  } else if (!MayTell(line)) {
    return;
  } else if (!why.empty()) {
    spdlog::warn("event=REFUSED actor=unknown reason={}", LogValue(why));
  } else {
    spdlog::warn("event=GRPC text={}", LogValue(line));
  }
}

}  // namespace

void RouteGrpcLog(GrpcSide side) {
  gpr_set_log_function(side == GrpcSide::kServer ? Tell<GrpcSide::kServer>
                                                 : Tell<GrpcSide::kClient>);
}

// "Handshake failed with fatal error SSL_ERROR_SSL: error:0A00009C:SSL routines::http request."
std::string WhyHandshakeFailed(const std::string& line) {
  if (!absl::StartsWith(line, "Handshake failed")) return "";
  absl::string_view words = line;
  words = absl::StripSuffix(words.substr(words.rfind(':') + 1), ".");
  const char* meaning = "see what else the log says";
  for (const Meaning& known : kMeanings) {
    if (absl::StrContains(words, known.words)) meaning = known.meaning;
  }
  return absl::StrCat("TLS handshake failed (", words, "): ", meaning);
}

}  // namespace connect_ha
