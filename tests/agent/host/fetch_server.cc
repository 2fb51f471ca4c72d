#include "tests/agent/host/fetch_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace connect_ha {
namespace {

constexpr char kProgram[] = CONNECT_HA_SOURCE_DIR "/tests/agent/host/fetch_server";

// What is written until the end of the line, or of the program.
std::string ReadLine(int from) {
  std::string line;
  char byte = 0;
  while (read(from, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

}  // namespace

FetchServer::FetchServer(const std::string& content, const std::string& certificate_path)
    : scheme_(certificate_path.empty() ? "http://" : "https://") {
  directory_.Write("file", content);
  SpawnRequest request;
  request.arguments = {"python3", kProgram, directory_ / "file", directory_ / "log"};
  if (!certificate_path.empty()) request.arguments.push_back(certificate_path);
  request.environment = {"PATH=" + std::string(kCommandPath)};
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  request.output = to.get();
  auto child = Spawn(request, std::chrono::seconds(30));
  to.Reset();
  EXPECT_TRUE(child.ok()) << child.status();
  if (child.ok()) child_ = *std::move(child);
  port_ = ReadLine(from.get());
  EXPECT_FALSE(port_.empty());
}

FetchServer::~FetchServer() {
  if (child_.pid > 0) KillAndReap(std::move(child_));
}

std::string FetchServer::Url(const std::string& path, const std::string& host) const {
  return scheme_ + host + ":" + port_ + path;
}

std::vector<std::string> FetchServer::Requests() const {
  std::ifstream log(directory_ / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  return lines;
}

}  // namespace connect_ha
