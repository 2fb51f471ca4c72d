#include "common/http/easy.h"

#include <cctype>

namespace connect_ha {
namespace {

bool GlobalInit() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

// "... after 12 ms: ..." would make every report a changed one.
std::string WithoutTimes(std::string text) {
  const size_t start = text.find(" after ");
  const size_t end = text.find(" ms", start == std::string::npos ? text.size() : start);
  return end == std::string::npos ? text : text.erase(start, end + 3 - start);
}

}  // namespace

Easy MakeEasy() { return Easy(GlobalInit() ? curl_easy_init() : nullptr); }

std::string ReasonOf(CURLcode code, const char* detail) {
  std::string why = WithoutTimes(detail[0] != '\0' ? detail : curl_easy_strerror(code));
  if (why.size() > 1 && std::islower(static_cast<unsigned char>(why[1])) != 0) {
    why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  }
  return why;
}

}  // namespace connect_ha
