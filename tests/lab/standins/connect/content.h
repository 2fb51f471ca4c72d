// Content that somebody uses for a while, as an application of Connect's: GET /content/30/ is
// answered by a process of its own, as Applications.RunAs, which sends a byte a second for 30
// seconds. It ends with Connect.
#pragma once

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

// 0: that is no such path.
inline int SecondsOfContent(const std::string& path) {
  const std::string prefix = "/content/";
  if (path.compare(0, prefix.size(), prefix) != 0) return 0;
  char* end = nullptr;
  const long seconds = std::strtol(path.c_str() + prefix.size(), &end, 10);
  const bool is_one = std::string(end) == "/" && seconds > 0 && seconds <= 3600;
  return is_one ? static_cast<int>(seconds) : 0;
}

// In the process of its own. It keeps nothing of Connect's open, whose connection to the database
// would else outlive it.
[[noreturn]] inline void RunContent(int client, int seconds, const std::string& account) {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGHUP, SIG_DFL);
  constexpr int kMostFiles = 1024;
  for (int fd = 3; fd < kMostFiles; ++fd) {
    if (fd != client) ::close(fd);
  }
  const passwd* user = ::getpwnam(account.c_str());
  if (user == nullptr || ::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
      ::setuid(user->pw_uid) != 0)
    ::_exit(1);
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(seconds) +
      "\r\nConnection: close\r\n\r\n";
  bool sent = ::send(client, head.data(), head.size(), MSG_NOSIGNAL) > 0;
  for (int second = 0; sent && second < seconds; ++second) {
    ::sleep(1);
    sent = ::send(client, ".", 1, MSG_NOSIGNAL) == 1;
  }
  ::_exit(0);
}

inline void StartContent(int client, int seconds, const std::string& account) {
  if (::fork() == 0) RunContent(client, seconds, account);
}
