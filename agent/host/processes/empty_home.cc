#include "agent/host/processes/empty_home.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "common/log.h"

namespace connect_ha {
namespace {

constexpr std::chrono::milliseconds kRemoveWithin{10'000};

}  // namespace

absl::Status EmptyHome::Make() {
  std::string name = "/tmp/connect-ha-home-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return ErrnoStatus(errno, "cannot make " + name);
  top_ = name;
  path_ = top_ + "/home";
  if (chmod(top_.c_str(), 0711) != 0 || mkdir(path_.c_str(), 0700) != 0 ||
      (account_ && chown(path_.c_str(), account_->uid, account_->gid) != 0)) {
    return ErrnoStatus(errno, "cannot make " + path_);
  }
  return absl::OkStatus();
}

void EmptyHome::RemoveWhatIsInIt() const {
  const Fd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  SpawnRequest request;
  request.arguments = {"rm", "-rf", "--one-file-system", "--", path_};
  request.environment = {absl::StrCat("PATH=", kCommandPath)};
  request.account = account_;
  request.output = null.get();
  absl::StatusOr<Child> child = Spawn(request, kRemoveWithin);
  if (!child.ok()) return;
  pollfd ended{child->exited.get(), POLLIN, 0};
  poll(&ended, 1, static_cast<int>(kRemoveWithin.count()));
  KillAndReap(*std::move(child));
}

EmptyHome::~EmptyHome() {
  if (top_.empty()) return;
  if (rmdir(path_.c_str()) != 0 && errno == ENOTEMPTY) RemoveWhatIsInIt();
  rmdir(path_.c_str());
  if (rmdir(top_.c_str()) != 0) spdlog::warn("event=home-not-removed path={}", LogValue(top_));
}

}  // namespace connect_ha
