#include "agent/host/network/fetch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>

#include "agent/host/processes/command.h"
#include "tests/agent/host/fetch_server.h"

namespace connect_ha {
namespace {

using absl::StatusCode;

std::string Pattern(size_t size) {
  std::string content;
  for (size_t i = 0; content.size() < size; ++i) content += std::to_string(i) + ",";
  return content.substr(0, size);
}

class Fetch : public testing::Test {
 protected:
  Fetch() { setenv("no_proxy", "127.0.0.1,localhost", 1); }

  FetchRequest Request(const std::string& url) {
    FetchRequest request;
    request.url = url;
    request.path = directory_ / "partial";
    request.limit_bytes = 1024 * 1024;
    request.allow_http = true;
    request.stall_limit = std::chrono::seconds(1);
    return request;
  }
  absl::Status Get(const std::string& path) { return FetchFile(Request(server_.Url(path)), {}); }
  void Have(const std::string& bytes) { directory_.Write("partial", bytes); }
  std::string Fetched() const {
    std::ifstream file(directory_ / "partial", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string content_ = Pattern(300'000);
  TemporaryDirectory directory_;
  FetchServer server_{content_};
};

TEST_F(Fetch, WritesTheWholeFileForItsOwnerAlone) {
  EXPECT_EQ(Get("/file"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  struct stat status {};
  ASSERT_EQ(stat((directory_ / "partial").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFREG | 0600U);
  EXPECT_EQ(server_.Requests(), std::vector<std::string>{"GET /file -"});
}

TEST_F(Fetch, GoesOnWhereTheLastTryEnded) {
  EXPECT_EQ(Get("/truncated").code(), StatusCode::kUnavailable);
  EXPECT_EQ(Fetched(), content_.substr(0, 150'000));
  EXPECT_EQ(Get("/file"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(server_.Requests(),
            (std::vector<std::string>{"GET /truncated -", "GET /file bytes=150000-"}));
}

TEST_F(Fetch, SaysHowFarACutAnswerCame) {
  const absl::Status status = Get("/truncated");
  EXPECT_EQ(status.message(),
            "cannot fetch " + server_.Url("/truncated") +
                ": transfer closed with 150000 bytes remaining to read after 150000 of 300000 "
                "bytes");
}

TEST_F(Fetch, ACutChunkedAnswerIsNoWholeFile) {
  EXPECT_EQ(Get("/chunked-cut").code(), StatusCode::kUnavailable);
}

TEST_F(Fetch, StartsOverWhereTheServerIgnoresTheRange) {
  Have("an old beginning");
  EXPECT_EQ(Get("/whole"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(server_.Requests(), std::vector<std::string>{"GET /whole bytes=16-"});
}

TEST_F(Fetch, AWholeFileIsLeftAsItIs) {
  Have(content_);
  EXPECT_EQ(Get("/file"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(server_.Requests(), std::vector<std::string>{"GET /file bytes=300000-"});
}

TEST_F(Fetch, StartsOverWhenMoreIsThereThanTheServerHas) {
  Have(content_ + "more");
  EXPECT_EQ(Get("/file"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(server_.Requests(),
            (std::vector<std::string>{"GET /file bytes=300004-", "GET /file -"}));
}

TEST_F(Fetch, StartsOverWhenARangeIsRefusedWithoutReason) {
  Have("x");
  EXPECT_EQ(Get("/unnamed-416"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(Fetch, StartsOverWhenAnotherPartIsSent) {
  Have("0123456789");
  EXPECT_EQ(Get("/other-range"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(Fetch, AnEmptyFileReplacesWhatWasThere) {
  Have("old");
  EXPECT_EQ(Get("/empty"), absl::OkStatus());
  EXPECT_EQ(Fetched(), "");
}

TEST_F(Fetch, TakesAFileOfUnknownLength) {
  EXPECT_EQ(Get("/unsized"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(Fetch, GivesUpATransferThatStalls) {
  const absl::Status status = Get("/stalled");
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "cannot fetch " + server_.Url("/stalled") +
                                  ": next to nothing came for 1 s, after 150000 of 300000 bytes");
  EXPECT_EQ(Fetched(), content_.substr(0, 150'000));
}

TEST_F(Fetch, GivesUpAServerThatSaysNothing) {
  EXPECT_EQ(Get("/silent").code(), StatusCode::kDeadlineExceeded);
}

TEST_F(Fetch, GivesUpAServerThatDrips) {
  EXPECT_EQ(Get("/drip").code(), StatusCode::kDeadlineExceeded);
}

TEST_F(Fetch, TheAnswersStatusSaysWhetherToTryAgain) {
  const std::vector<std::pair<std::string, StatusCode>> expected = {
      {"404", StatusCode::kNotFound},           {"410", StatusCode::kNotFound},
      {"401", StatusCode::kPermissionDenied},   {"403", StatusCode::kPermissionDenied},
      {"407", StatusCode::kPermissionDenied},   {"451", StatusCode::kFailedPrecondition},
      {"408", StatusCode::kUnavailable},        {"429", StatusCode::kUnavailable},
      {"500", StatusCode::kUnavailable},        {"503", StatusCode::kUnavailable},
      {"400", StatusCode::kFailedPrecondition}, {"206", StatusCode::kFailedPrecondition},
      {"300", StatusCode::kFailedPrecondition}};
  for (const auto& [answer, code] : expected) {
    const absl::Status status = Get("/status/" + answer);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find("answers " + answer), std::string::npos) << status;
    EXPECT_EQ(Fetched(), "") << answer;
  }
}

TEST_F(Fetch, AnErrorPageDoesNotTouchWhatWasFetched) {
  Have("0123456789");
  EXPECT_EQ(Get("/status/503").code(), StatusCode::kUnavailable);
  EXPECT_EQ(Fetched(), "0123456789");
}

TEST_F(Fetch, RefusesAFileThatSaysItIsTooLarge) {
  FetchRequest request = Request(server_.Url("/file"));
  request.limit_bytes = 299'999;
  const absl::Status status = FetchFile(request, {});
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "cannot fetch " + request.url +
                ": larger than the limit of 299999 bytes\nfix: if it should be, set downloads: "
                "{limit_bytes: ...} in cluster.yaml");
  EXPECT_EQ(Fetched(), "");
}

TEST_F(Fetch, StopsAnEndlessFileAtTheLimit) {
  EXPECT_EQ(Get("/endless").code(), StatusCode::kResourceExhausted);
  EXPECT_LE(Fetched().size(), 1024U * 1024);
}

TEST_F(Fetch, StopsReadingWhereTheServersLengthEnds) {
  EXPECT_EQ(Get("/claims/1000"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_.substr(0, 1000));
}

TEST_F(Fetch, AFileThatTheDiskCannotHoldIsNotBegun) {
  FetchRequest request = Request(server_.Url("/claims/1000000000000000000"));
  request.limit_bytes = UINT64_MAX;
  const absl::Status status = FetchFile(request, {});
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message().substr(0, 11), "no room in ");
  EXPECT_EQ(Fetched(), "");
}

TEST_F(Fetch, AFullDiskIsNamed) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{100'000, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);  // as on a full disk, write() then fails
  setrlimit(RLIMIT_FSIZE, &little);
  const absl::Status status = Get("/unsized");
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message().substr(0, 11), "no room in ");
  EXPECT_EQ(Fetched(), content_.substr(0, 100'000));
}

TEST_F(Fetch, FollowsFiveRedirectsAndNoMore) {
  EXPECT_EQ(Get("/hops/5"), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(Get("/hops/6").code(), StatusCode::kFailedPrecondition);
}

TEST_F(Fetch, NoRedirectLeadsToAFileOfThisMachine) {
  FetchRequest request = Request(server_.Url("/redirect?to=file:///etc/passwd"));
  request.allow_file = true;
  EXPECT_EQ(FetchFile(request, {}).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Fetched(), "");
}

TEST_F(Fetch, SpeaksHttpOnlyWhereAllowed) {
  FetchRequest request = Request(server_.Url("/file"));
  request.allow_http = false;
  const absl::Status status = FetchFile(request, {});
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "cannot fetch " + request.url +
                ": http is not allowed\nfix: use an https:// address, or set downloads: "
                "{allow_http: true} in cluster.yaml");
  EXPECT_TRUE(server_.Requests().empty());
}

TEST_F(Fetch, NoOtherSchemeIsSpoken) {
  for (const std::string url : {"ftp://a/b", "scp://a/b", "dict://a/b", "no url", ""}) {
    EXPECT_EQ(FetchFile(Request(url), {}).code(), StatusCode::kFailedPrecondition) << url;
  }
}

TEST_F(Fetch, MessagesHoldNoCredentials) {
  const std::string host = "name:secret@127.0.0.1";
  for (const std::string path : {"/status/404?token=secret", "/truncated?secret#secret",
                                 "/redirect?to=ftp://name:secret@a/b?secret", "/ secret"}) {
    const absl::Status status = FetchFile(Request(server_.Url(path, host)), {});
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.message().find("secret"), std::string::npos) << status;
  }
}

TEST_F(Fetch, TellsHowFarItIs) {
  uint64_t done = 0;
  uint64_t total = 0;
  Have(content_.substr(0, 1000));
  EXPECT_TRUE(FetchFile(Request(server_.Url("/file")), [&](uint64_t now, uint64_t all) {
                EXPECT_GE(now, std::max<uint64_t>(done, 1000));
                done = now;
                total = all;
                return true;
              }).ok());
  EXPECT_EQ(done, 300'000U);
  EXPECT_EQ(total, 300'000U);
}

TEST_F(Fetch, StopsWhenToldTo) {
  const absl::Status status = FetchFile(Request(server_.Url("/stalled")),
                                        [](uint64_t done, uint64_t) { return done < 150'000; });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(Fetched(), content_.substr(0, 150'000));
}

TEST_F(Fetch, NobodyListensIsWorthAnotherTry) {
  const absl::Status status = FetchFile(Request("http://127.0.0.1:1/file"), {});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.message().substr(0, 59),
            "cannot fetch http://127.0.0.1:1/file: failed to connect to ");
}

TEST_F(Fetch, AsksTheProxyOfTheEnvironment) {
  setenv("http_proxy", server_.Url("").c_str(), 1);
  const absl::Status status = FetchFile(Request("http://packages.example/file"), {});
  unsetenv("http_proxy");
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(server_.Requests(), std::vector<std::string>{"GET http://packages.example/file -"});
}

TEST_F(Fetch, WritesThroughNoLink) {
  directory_.Write("victim", "untouched");
  std::filesystem::create_symlink("victim", directory_ / "partial");
  EXPECT_EQ(Get("/file").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Fetched(), "untouched");
}

TEST_F(Fetch, WritesToNoPipe) {
  ASSERT_EQ(mkfifo((directory_ / "partial").c_str(), 0600), 0);
  EXPECT_EQ(Get("/file").code(), StatusCode::kFailedPrecondition);
}

class FetchLocal : public Fetch {
 protected:
  FetchRequest LocalRequest(const std::string& path) {
    FetchRequest request = Request("file://" + path);
    request.allow_file = true;
    return request;
  }
};

TEST_F(FetchLocal, CopiesAFileWhereAllowed) {
  directory_.Write("a file", content_);
  FetchRequest request = LocalRequest(directory_ / "a%20file");
  EXPECT_EQ(FetchFile(request, {}), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
  request.allow_file = false;
  EXPECT_EQ(FetchFile(request, {}).code(), StatusCode::kFailedPrecondition);
}

// Its digest would be told.
TEST_F(FetchLocal, WhatOnlyItsOwnerMayReadIsNotTaken) {
  directory_.Write("file", content_);
  ASSERT_EQ(chmod((directory_ / "file").c_str(), 0640), 0);
  // Nor by a link that somebody put beside what may be taken.
  std::filesystem::create_symlink(directory_ / "file", directory_ / "link");
  for (const char* name : {"file", "link"}) {
    const absl::Status status = FetchFile(LocalRequest(directory_ / name), {});
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << name;
    EXPECT_NE(status.message().find("not everybody may read it"), std::string::npos) << status;
    EXPECT_EQ(Fetched(), "");
  }
}

TEST_F(FetchLocal, GoesOnWhereTheLastTryEnded) {
  directory_.Write("file", content_);
  Have("0,1,2,");
  uint64_t first = 0;
  EXPECT_TRUE(FetchFile(LocalRequest(directory_ / "file"), [&first](uint64_t done, uint64_t) {
                if (first == 0) first = done;
                return true;
              }).ok());
  EXPECT_EQ(Fetched(), content_);
  EXPECT_EQ(first, 6 + 64 * 1024U);
}

TEST_F(FetchLocal, StartsOverWhenMoreIsThereThanTheFileHas) {
  directory_.Write("file", "short");
  Have("something longer");
  EXPECT_EQ(FetchFile(LocalRequest(directory_ / "file"), {}), absl::OkStatus());
  EXPECT_EQ(Fetched(), "short");
}

// As LinuxHost reads what lies on a network file system.
TEST_F(FetchLocal, AShareThatHangsEndsTheTryAndWhatCameIsKept) {
  bool hangs = true;
  const OpenSource open = [&](const std::string&) -> absl::StatusOr<FileSource> {
    FileSource source;
    source.size = content_.size();
    source.read = [&](uint64_t offset, size_t) -> absl::StatusOr<std::string> {
      if (offset >= 10 && hangs) return absl::DeadlineExceededError("has not answered");
      return content_.substr(offset, offset < 10 ? 10 - offset : std::string::npos);
    };
    return source;
  };
  const FetchRequest request = LocalRequest("/mnt/share/file");
  EXPECT_EQ(FetchFile(request, {}, "", open), absl::DeadlineExceededError("has not answered"));
  EXPECT_EQ(Fetched(), content_.substr(0, 10));
  hangs = false;
  EXPECT_EQ(FetchFile(request, {}, "", open), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(FetchLocal, RefusesWhatIsMissingTooLargeOrNoFile) {
  directory_.Write("file", content_);
  FetchRequest request = LocalRequest(directory_ / "file");
  request.limit_bytes = 10;
  EXPECT_EQ(FetchFile(request, {}).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(FetchFile(LocalRequest(directory_ / "none"), {}).code(), StatusCode::kNotFound);
  EXPECT_EQ(FetchFile(LocalRequest("/dev/zero"), {}).code(), StatusCode::kFailedPrecondition);
}

// Certificates: made anew for each test, of a name and an authority of their own.
class FetchTls : public Fetch {
 protected:
  FetchTls() : tls_server_(content_, MakeCertificate("good", "IP:127.0.0.1")) {}

  static void OpenSsl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const auto result = RunCommand(arguments, {});
    EXPECT_TRUE(result.ok() && result->exit_code == 0) << result.status();
  }
  // Key and certificate in one file; the certificate alone in a second, ".certificate".
  std::string MakeCertificate(const std::string& name, const std::string& subject,
                              bool expired = false) {
    const std::string path = directory_ / (name + ".pem");
    const std::string certificate = path + ".certificate";
    OpenSsl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=a", "-addext", "subjectAltName=" + subject, "-keyout",
             path, "-out", certificate});
    if (expired) {
      OpenSsl({"x509", "-in", certificate, "-signkey", path, "-days", "-1", "-out", certificate});
    }
    std::ofstream(path, std::ios::app) << std::ifstream(certificate).rdbuf();
    return path;
  }
  absl::Status GetTrusted(FetchRequest request) {
    return FetchFile(request, {}, directory_ / "good.pem.certificate");
  }
  FetchRequest TlsRequest(const std::string& path) {
    FetchRequest request = Request(tls_server_.Url(path));
    request.allow_http = false;
    return request;
  }

  FetchServer tls_server_;
};

TEST_F(FetchTls, TakesAFileFromATrustedServer) {
  EXPECT_EQ(GetTrusted(TlsRequest("/file")), absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(FetchTls, RefusesAnAuthorityThatTheSystemDoesNotTrust) {
  const absl::Status status = FetchFile(TlsRequest("/file"), {});
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("update-ca-certificates"), std::string::npos) << status;
  EXPECT_TRUE(tls_server_.Requests().empty());
}

TEST_F(FetchTls, GivesUpAServerThatShakesNoHands) {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/file";
  const absl::Status status = FetchFile(Request(url), {});
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(),
            "cannot fetch " + url +
                ": no connection in 1 s\nfix: allow it in this node's security group and routes, "
                "or set https_proxy in the environment of connect-ha-agent.service");
}

TEST_F(FetchTls, RefusesACertificateOfAnotherName) {
  FetchServer other(content_, MakeCertificate("other", "DNS:other.example"));
  FetchRequest request = TlsRequest("/file");
  request.url = other.Url("/file");
  const absl::Status status = FetchFile(request, {}, directory_ / "other.pem.certificate");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("\nfix: use a host name that the server's certificate has"),
            std::string::npos)
      << status;
  EXPECT_TRUE(other.Requests().empty());
}

TEST_F(FetchTls, NoRedirectLeadsFromHttpsToHttp) {
  FetchRequest request = TlsRequest("/redirect?to=" + server_.Url("/file?secret"));
  const absl::Status status = GetTrusted(request);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("redirected to " + server_.Url("/file") + ": "),
            std::string::npos)
      << status;
  EXPECT_NE(status.message().find("\nfix: "), std::string::npos) << status;
  EXPECT_TRUE(server_.Requests().empty());
  request.allow_http = true;
  EXPECT_EQ(GetTrusted(request), absl::OkStatus());
}

TEST_F(FetchTls, ARedirectMayLeadToHttps) {
  EXPECT_EQ(GetTrusted(Request(server_.Url("/redirect?to=" + tls_server_.Url("/file")))),
            absl::OkStatus());
  EXPECT_EQ(Fetched(), content_);
}

TEST_F(FetchTls, CredentialsDoNotFollowARedirectToAnotherServer) {
  FetchRequest request = Request("");
  const std::string other = server_.Url("/file", "localhost");
  request.url = tls_server_.Url("/redirect?to=" + other, "name:secret@127.0.0.1");
  EXPECT_EQ(GetTrusted(request), absl::OkStatus());
  EXPECT_EQ(tls_server_.Requests(),
            std::vector<std::string>{"GET /redirect?to=" + other + " - authorized"});
  EXPECT_EQ(server_.Requests(), std::vector<std::string>{"GET /file -"});
}

TEST_F(FetchTls, AnExpiredCertificateAsksForALookAtTheClock) {
  FetchServer expired(content_, MakeCertificate("expired", "IP:127.0.0.1", true));
  FetchRequest request = TlsRequest("");
  request.url = expired.Url("/file");
  const absl::Status status = FetchFile(request, {}, directory_ / "expired.pem.certificate");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("timedatectl"), std::string::npos) << status;
}

}  // namespace
}  // namespace connect_ha
