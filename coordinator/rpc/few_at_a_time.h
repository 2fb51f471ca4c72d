// What one caller may have under way a few times, whatever others have. Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace connect_ha {

class FewAtATime {
 public:
  explicit FewAtATime(size_t most) : most_(most) {}

  // Null: `who` has as many as it may. Else it has one more until what is returned is gone.
  std::shared_ptr<const void> Take(const std::string& who) {
    std::lock_guard lock(taken_->mutex);
    size_t& count = taken_->counts[who];
    if (count >= most_) return nullptr;
    ++count;
    return {taken_.get(), [taken = taken_, who](const Taken*) { GiveBack(*taken, who); }};
  }

 private:
  struct Taken {
    std::mutex mutex;
    std::map<std::string, size_t> counts;  // none is 0
  };

  static void GiveBack(Taken& taken, const std::string& who) {
    std::lock_guard lock(taken.mutex);
    if (--taken.counts[who] == 0) taken.counts.erase(who);
  }

  const size_t most_;
  const std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace connect_ha
