#include "tests/fakes/fake_host.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

bool IsAtOrBelow(const std::string& what, const std::string& prefix) {
  return what == prefix ||
         (absl::StartsWith(what, prefix) && (prefix.back() == '/' || what[prefix.size()] == '/'));
}

absl::Status Killed() { return absl::AbortedError("killed"); }

}  // namespace

FakeHost::FakeHost() : now_(std::chrono::seconds(1'722'513'600)) {  // 2024-08-01T12:00:00Z
  kernel_clock_.synchronized = true;
  kernel_clock_.max_error = std::chrono::microseconds(500);
}

void FakeHost::SetError(const std::string& what, absl::Status status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  errors_[what] = std::move(status);
}

void FakeHost::SetUser(UserEntry user) {
  const std::lock_guard<std::mutex> lock(mutex_);
  users_[user.name] = std::move(user);
}

void FakeHost::SetGroup(const std::string& name, uint32_t gid) {
  const std::lock_guard<std::mutex> lock(mutex_);
  groups_[name] = gid;
}

void FakeHost::SetCommand(const std::string& command, CommandResult result, FakeEffect effect) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_[command] = {std::move(result), std::move(effect)};
}

void FakeHost::SetHttp(const std::string& method, const std::string& url, HttpResponse response) {
  const std::lock_guard<std::mutex> lock(mutex_);
  http_[method + " " + url] = std::move(response);
}

void FakeHost::SetUse(const std::string& path, FileSystemUse use) {
  const std::lock_guard<std::mutex> lock(mutex_);
  uses_[path] = use;
}

void FakeHost::SetWork(FakeWork work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  work_ = std::move(work);
}

void FakeHost::SetKernelClock(KernelClock clock) {
  const std::lock_guard<std::mutex> lock(mutex_);
  kernel_clock_ = clock;
}

void FakeHost::SetNow(Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  now_ = now;
}

void FakeHost::Advance(std::chrono::microseconds span) {
  const std::lock_guard<std::mutex> lock(mutex_);
  now_ += span;
}

void FakeHost::FailCall(int n, absl::Status status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fail_at_ = n == 0 ? 0 : calls_ + n;
  fail_with_ = std::move(status);
}

int FakeHost::calls() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeHost::commands_run() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return commands_run_;
}

std::vector<std::string> FakeHost::http_requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return http_requests_;
}

std::vector<std::string> FakeHost::last_http_headers() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_http_headers_;
}

void FakeHost::DieAtCall(int n, Death death) {
  const std::lock_guard<std::mutex> lock(mutex_);
  die_at_ = n == 0 ? 0 : change_calls_ + n;
  death_ = death;
}

void FakeHost::Revive() {
  const std::lock_guard<std::mutex> lock(mutex_);
  dead_ = false;
  die_at_ = 0;
}

bool FakeHost::dead() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dead_;
}

std::vector<std::string> FakeHost::changes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return changes_;
}

absl::Status FakeHost::Enter(const std::string& what) {
  if (dead_) return Killed();
  if (++calls_ == fail_at_) return fail_with_;
  for (const auto& [prefix, status] : errors_) {
    if (!status.ok() && IsAtOrBelow(what, prefix)) return status;
  }
  return absl::OkStatus();
}

absl::Status FakeHost::EnterChange(const std::string& call, const std::string& what,
                                   bool* halfway) {
  if (dead_) return Killed();
  if (++change_calls_ == die_at_) {
    dead_ = true;
    if (death_ == Death::kBefore || halfway == nullptr) return Killed();
    *halfway = true;
  } else if (absl::Status status = Enter(what); !status.ok()) {
    return status;
  }
  changes_.push_back(absl::StrCat(call, " ", what));
  return absl::OkStatus();
}

absl::StatusOr<UserEntry> FakeHost::LookUpUser(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = users_.find(name);
  if (it == users_.end()) return absl::NotFoundError("no such user: " + name);
  return it->second;
}

absl::StatusOr<uint32_t> FakeHost::LookUpGroup(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = groups_.find(name);
  if (it == groups_.end()) return absl::NotFoundError("no such group: " + name);
  return it->second;
}

absl::StatusOr<CommandResult> FakeHost::Run(const std::vector<std::string>& arguments,
                                            const CommandOptions&) {
  const std::string line = absl::StrJoin(arguments, " ");
  Command command;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!dead_) commands_run_.push_back(line);
    if (const absl::Status status = EnterChange("Run", arguments.at(0)); !status.ok()) {
      return status;
    }
    const auto it = commands_.find(line);
    if (it == commands_.end()) return absl::NotFoundError("no such command: " + line);
    command = it->second;
  }
  if (command.effect != nullptr) command.effect(*this);
  return command.result;
}

absl::StatusOr<HttpResponse> FakeHost::Http(const HttpRequest& request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  http_requests_.push_back(request.method + " " + request.url);
  last_http_headers_ = request.headers;
  if (const absl::Status status = Enter(request.url); !status.ok()) return status;
  const auto it = http_.find(request.method + " " + request.url);
  if (it == http_.end()) return absl::UnavailableError("connection refused: " + request.url);
  return it->second;
}

absl::StatusOr<KernelClock> FakeHost::ReadKernelClock() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter("adjtimex"); !status.ok()) return status;
  return kernel_clock_;
}

Time FakeHost::Now() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

}  // namespace connect_ha
