// What every use of libcurl shares: a handle that frees itself, and its words for an error.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace connect_ha {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

// One for one thread. Null: libcurl cannot start.
Easy MakeEasy();

// In lower case, and the same each time: without the milliseconds that libcurl adds. `detail`: what
// it left in CURLOPT_ERRORBUFFER.
std::string ReasonOf(CURLcode code, const char* detail);

}  // namespace connect_ha
