// What is logged while it lives, line by line. One at a time; the log goes to standard error again
// afterwards.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/log.h"

namespace connect_ha {

class LogCapture {
 public:
  LogCapture() : sink_(std::make_shared<Sink>()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", sink_));
  }
  ~LogCapture() { SetUpLog("info"); }
  LogCapture(const LogCapture&) = delete;

  // The lines that have `part` in them, once there are `count`, or after ten seconds.
  std::vector<std::string> Await(const std::string& part, size_t count = 1) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (true) {
      std::vector<std::string> found = sink_->With(part);
      if (found.size() >= count || std::chrono::steady_clock::now() > until) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  class Sink : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> With(const std::string& part) {
      const std::lock_guard<std::mutex> lock(mutex_);
      std::vector<std::string> found;
      for (const std::string& line : lines_) {
        if (line.find(part) != std::string::npos) found.push_back(line);
      }
      return found;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      lines_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush_() override {}

    std::vector<std::string> lines_;
  };

  std::shared_ptr<Sink> sink_;
};

}  // namespace connect_ha
