// What the stand-in answers over HTTP, as Connect's own clients ask for it: the version, what it
// runs content with, and who somebody is who shows an API key. There are no users but the owner of
// a key, and there is no content.
#pragma once

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "gcfg.h"

struct Request {
  std::string method;
  std::string path;  // without the query
  std::string key;   // "" when none is shown
};

struct Response {
  std::string status;
  std::string body;
  std::string headers;  // beside the usual, a line each
};

inline Request ParseRequest(const std::string& text) {
  Request request;
  const size_t space = text.find(' ');
  if (space == std::string::npos) return request;
  request.method = text.substr(0, space);
  request.path = text.substr(space + 1, text.find_first_of(" ?\r", space + 1) - space - 1);
  // "Authorization", or "X-RSC-Authorization" where something before Connect uses the other.
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const size_t header = lower.find("authorization: key ");
  if (header != std::string::npos) {
    const size_t key = lower.find("key ", header) + 4;
    request.key = text.substr(key, text.find('\r', key) - key);
  }
  return request;
}

// The keys are in the database, as digests, so that a key is good on every node.
inline bool KeyIsKnown(PGconn* database, const std::string& key) {
  if (key.empty()) return false;
  if (PQstatus(database) != CONNECTION_OK) PQreset(database);
  const char* parameter = key.c_str();
  PGresult* result =
      PQexecParams(database, "SELECT FROM connect_api_keys WHERE sha256 = sha256($1::text::bytea)",
                   1, nullptr, &parameter, nullptr, nullptr, 0);
  const bool known = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
  PQclear(result);
  return known;
}

// {"installations": [...]}: /opt/R/4.3.3/bin/R is version 4.3.3.
inline std::string Installations(const Config& config, const std::string& section) {
  std::string list;
  for (const std::string& path : config.All(section, "executable")) {
    const size_t bin = path.rfind("/bin/");
    if (bin == std::string::npos || bin == 0) continue;
    const size_t version = path.rfind('/', bin - 1) + 1;
    list += (list.empty() ? "" : ",") + std::string(R"({"version":")") +
            path.substr(version, bin - version) +
            R"(","cluster_name":"Local","image_name":"Local"})";
  }
  return R"({"installations":[)" + list + "]";
}

inline std::string Hostname() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

inline std::string Owner() {
  return R"({"guid":"00000000-0000-4000-8000-000000000001","username":"admin","email":"",)"
         R"("first_name":"","last_name":"","user_role":"administrator","confirmed":true,)"
         R"("locked":false,"created_time":"2024-01-01T00:00:00Z",)"
         R"("updated_time":"2024-01-01T00:00:00Z","active_time":null})";
}

// What needs a key. False: there is no such path.
inline bool AnswerWithKey(const Config& config, const std::string& path, Response& response) {
  const std::string page = R"(,"current_page":1,"total":)";
  if (path == "/v1/user") {
    response.body = Owner();
  } else if (path == "/v1/users") {
    response.body = R"({"results":[)" + Owner() + "]" + page + "1}";
  } else if (path == "/v1/groups") {
    response.body = R"({"results":[])" + page + "0}";
  } else if (path == "/v1/content" || path == "/v1/tags") {
    response.body = "[]";
  } else if (path == "/v1/server_settings/r" || path == "/v1/server_settings/quarto") {
    response.body = Installations(config, path.substr(path.rfind('/') + 1)) + "}";
  } else if (path == "/v1/server_settings/python") {
    response.body = Installations(config, "python") + R"(,"api_enabled":true})";
  } else {
    return false;
  }
  return true;
}

inline Response Answer(const Config& config, PGconn* database, const Request& request) {
  Response response{"200 OK", "", "Content-Type: application/json\r\n"};
  const std::string api = "/__api__";
  if (request.path == "/") return {"302 Found", "", "Location: /connect/\r\n"};
  if (request.path == "/connect/") {
    return {"200 OK",
            "<!DOCTYPE html><title>Posit Connect stand-in</title><p>" +
                config.Get("standin", "banner", ""),
            "Content-Type: text/html\r\n"};
  }
  if (request.path == "/__ping__") {
    response.body = "{}";
  } else if (request.path == api + "/server_settings") {
    response.body = R"({"hostname":")" + Hostname() +
                    R"(","version":")" STANDIN_VERSION
                    R"(","build":"stand-in","about":"Posit Connect stand-in"})";
  } else if (request.method != "GET" || request.path.rfind(api, 0) != 0 ||
             !AnswerWithKey(config, request.path.substr(api.size()), response)) {
    response.status = "404 Not Found";
    response.body = R"({"code":4,"error":"The requested object does not exist.","payload":null})";
  } else if (!KeyIsKnown(database, request.key)) {
    response.status = "401 Unauthorized";
    response.body =
        R"({"code":30,"error":"We couldn't log you in with the provided credentials.","payload":null})";
  }
  return response;
}

inline std::string Written(const Response& response) {
  return "HTTP/1.1 " + response.status + "\r\nServer: Posit Connect v" STANDIN_VERSION "\r\n" +
         response.headers + "Content-Length: " + std::to_string(response.body.size()) +
         "\r\nConnection: close\r\n\r\n" + response.body;
}
