#include "agent/host/network/fetch_answer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) return {};
  if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &number)) return {};
  return number;
}

}  // namespace

ContentRange ParseContentRange(std::string_view value) {
  ContentRange range;
  constexpr std::string_view kUnit = "bytes ";
  if (value.substr(0, kUnit.size()) != kUnit) return range;
  value.remove_prefix(kUnit.size());
  const size_t slash = value.find('/');
  if (slash == std::string_view::npos) return range;
  range.total = ParseNumber(value.substr(slash + 1));
  const std::string_view part = value.substr(0, slash);
  const size_t dash = part.find('-');
  if (dash != std::string_view::npos) range.first = ParseNumber(part.substr(0, dash));
  return range;
}

void TakeHeaderLine(std::string_view line, AnswerHeaders& headers) {
  if (line.substr(0, 5) == "HTTP/") headers = AnswerHeaders();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = absl::AsciiStrToLower(absl::string_view(line.data(), colon));
  const std::string value(absl::StripAsciiWhitespace(
      absl::string_view(line.data() + colon + 1, line.size() - colon - 1)));
  if (name == "content-range") headers.range = ParseContentRange(value);
  if (name == "location") headers.location = value;
}

absl::Status StatusOfAnswer(int http_status, const std::string& shown) {
  const std::string what =
      absl::StrCat("cannot fetch ", shown, ": the server answers ", http_status);
  switch (http_status) {
    case 404:
    case 410:
      return absl::NotFoundError(
          absl::StrCat(what, ", it has no such file\nfix: correct the url in cluster.yaml"));
    case 401:
    case 403:
      return absl::PermissionDeniedError(absl::StrCat(
          what,
          ", it does not give the file to this node\nfix: let the server give it without a "
          "password to this node's address, or use a signed url in cluster.yaml"));
    case 407:
      return absl::PermissionDeniedError(absl::StrCat(
          what,
          ", the proxy wants a password\nfix: set https_proxy=http://USER:PASSWORD@HOST:PORT ",
          "in the environment of connect-ha-agent.service"));
    case 408:
    case 429:
      return absl::UnavailableError(what + ", it asks to come again later");
    default:
      if (http_status >= 500) return absl::UnavailableError(what);
      return absl::FailedPreconditionError(
          absl::StrCat(what, ", which is not a file\nfix: look at what it says: curl -sSiL ",
                       ShellOperand(shown)));
  }
}

}  // namespace connect_ha
