// A program that runs beside the test.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

class Process {
 public:
  // `environment`: NAME=value, instead of or beside what the test has.
  explicit Process(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment = {});
  // Kills what still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const;
  pid_t pid() const { return pid_; }
  // Its exit code, 128 and the signal when one ended it, -1 when it has not ended in ten seconds.
  int Wait();
  std::string out() const;
  std::string error() const;
  // True once standard error has the text; false after ten seconds without.
  bool AwaitError(const std::string& text) const;

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  int code_ = -1;
};

// True once it holds; false after ten seconds.
bool Eventually(const std::function<bool()>& condition);

// Where a program's sd_notify(3) goes.
class NotifySocket {
 public:
  NotifySocket();
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // For the program's environment, with a watchdog that wants to hear from it that often.
  std::vector<std::string> Environment(int watchdog_ms) const;
  // True once a message since the last that was found has this line.
  bool Await(const std::string& line);

 private:
  TemporaryDirectory directory_;
  int fd_ = -1;
};

}  // namespace connect_ha
