#include "coordinator/store/store_wait.h"

namespace connect_ha {
namespace {

thread_local StoreWaits* waits_of_thread = nullptr;

}  // namespace

StoreWaits::StoreWaits() { waits_of_thread = this; }

StoreWaits::~StoreWaits() { waits_of_thread = nullptr; }

StoreWaits::Waited StoreWaits::Look() const {
  std::lock_guard lock(mutex_);
  return waited_;
}

StoreWait::StoreWait() : waits_(waits_of_thread) {
  if (waits_ == nullptr) return;
  std::lock_guard lock(waits_->mutex_);
  waits_->waited_.since = std::chrono::steady_clock::now();
}

StoreWait::~StoreWait() {
  if (waits_ == nullptr) return;
  std::lock_guard lock(waits_->mutex_);
  waits_->waited_.ended += std::chrono::steady_clock::now() - *waits_->waited_.since;
  waits_->waited_.since.reset();
}

}  // namespace connect_ha
