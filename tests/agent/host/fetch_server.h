// The program fetch_server beside this file, run for one test.
#pragma once

#include <string>
#include <vector>

#include "agent/host/fd.h"
#include "agent/host/processes/spawn.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

class FetchServer {
 public:
  // Without a certificate it speaks http.
  explicit FetchServer(const std::string& content, const std::string& certificate_path = "");
  ~FetchServer();
  FetchServer(const FetchServer&) = delete;
  FetchServer& operator=(const FetchServer&) = delete;

  // `path`: see fetch_server. `host` may hold credentials.
  std::string Url(const std::string& path, const std::string& host = "127.0.0.1") const;
  // "GET /file bytes=100-" for each request so far.
  std::vector<std::string> Requests() const;

 private:
  TemporaryDirectory directory_;
  std::string scheme_;
  std::string port_;
  Child child_;
};

}  // namespace connect_ha
