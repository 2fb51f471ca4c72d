#include "tests/fakes/fake_host.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/crypto.h"

namespace connect_ha {
namespace {

constexpr int kMostLinks = 20;

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string Join(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

bool IsAtOrBelow(const std::string& what, const std::string& prefix) {
  return what == prefix ||
         (what.size() > prefix.size() && what.compare(0, prefix.size(), prefix) == 0 &&
          (prefix.back() == '/' || what[prefix.size()] == '/'));
}

absl::Status NoSuchFile(const std::string& path) {
  return absl::NotFoundError(absl::StrCat("no such file: ", path));
}

}  // namespace

FakeHost::FakeHost() : now_(std::chrono::seconds(1'722'513'600)) {  // 2024-08-01T12:00:00Z
  kernel_clock_.synchronized = true;
  kernel_clock_.max_error = std::chrono::microseconds(500);
  Node root;
  root.kind = FileStatus::Kind::kDirectory;
  root.mode = 0755;
  root.inode = 1;
  nodes_["/"] = root;
}

void FakeHost::PutParents(const std::string& path) {
  for (std::string parent = Parent(path); nodes_.count(parent) == 0; parent = Parent(parent)) {
    Node directory;
    directory.kind = FileStatus::Kind::kDirectory;
    directory.mode = 0755;
    directory.inode = next_inode_++;
    nodes_[parent] = directory;
  }
}

void FakeHost::Put(const std::string& path, Node node) {
  PutParents(path);
  node.inode = next_inode_++;
  nodes_[path] = std::move(node);
}

void FakeHost::SetFile(const std::string& path, FakeFile file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Node node;
  node.content = std::move(file.content);
  node.mode = file.mode;
  node.uid = file.uid;
  node.gid = file.gid;
  node.modified_at = file.modified_at;
  Put(path, std::move(node));
}

void FakeHost::SetFile(const std::string& path, const std::string& content) {
  FakeFile file;
  file.content = content;
  SetFile(path, std::move(file));
}

void FakeHost::SetDirectory(const std::string& path, uint32_t mode, uint32_t uid, uint32_t gid) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Node node;
  node.kind = FileStatus::Kind::kDirectory;
  node.mode = mode;
  node.uid = uid;
  node.gid = gid;
  Put(path, std::move(node));
}

void FakeHost::SetLink(const std::string& path, const std::string& target) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Node node;
  node.kind = FileStatus::Kind::kLink;
  node.mode = 0777;
  node.content = target;
  Put(path, std::move(node));
}

void FakeHost::SetOwner(const std::string& path, uint32_t mode, uint32_t uid, uint32_t gid) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Node& node = nodes_.at(path);
  node.mode = mode;
  node.uid = uid;
  node.gid = gid;
}

void FakeHost::Remove(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    it = IsAtOrBelow(it->first, path) ? nodes_.erase(it) : std::next(it);
  }
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

void FakeHost::SetUnit(const v1::Unit& unit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  units_[unit.name()] = unit;
}

void FakeHost::SetUnitEnvironment(const std::string& unit, std::vector<std::string> environment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  environments_[unit] = std::move(environment);
}

void FakeHost::SetCommand(const std::string& command, CommandResult result) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_[command] = std::move(result);
}

void FakeHost::SetHttp(const std::string& method, const std::string& url, HttpResponse response) {
  const std::lock_guard<std::mutex> lock(mutex_);
  http_[method + " " + url] = std::move(response);
}

void FakeHost::SetUse(const std::string& path, FileSystemUse use) {
  const std::lock_guard<std::mutex> lock(mutex_);
  uses_[path] = use;
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

absl::Status FakeHost::Enter(const std::string& what) {
  if (++calls_ == fail_at_) return fail_with_;
  for (const auto& [prefix, status] : errors_) {
    if (IsAtOrBelow(what, prefix)) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeHost::Resolve(const std::string& path, bool follow_last) const {
  std::vector<std::string> rest = absl::StrSplit(path, '/', absl::SkipEmpty());
  std::string done = "/";
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.erase(rest.begin());
    if (name == ".") continue;
    if (name == "..") {
      done = Parent(done);
      continue;
    }
    const std::string next = Join(done, name);
    const auto it = nodes_.find(next);
    if (it == nodes_.end()) return NoSuchFile(path);
    if (it->second.kind != FileStatus::Kind::kLink || (rest.empty() && !follow_last)) {
      done = next;
      continue;
    }
    if (++links > kMostLinks) {
      return absl::FailedPreconditionError("too many levels of symbolic links: " + path);
    }
    const std::vector<std::string> target =
        absl::StrSplit(it->second.content, '/', absl::SkipEmpty());
    rest.insert(rest.begin(), target.begin(), target.end());
    if (it->second.content[0] == '/') done = std::string(1, '/');
  }
  return done;
}

absl::StatusOr<const FakeHost::Node*> FakeHost::Find(const std::string& path, bool follow_last) {
  if (const absl::Status status = Enter(path); !status.ok()) return status;
  const absl::StatusOr<std::string> resolved = Resolve(path, follow_last);
  if (!resolved.ok()) return resolved.status();
  return &nodes_.at(*resolved);
}

absl::StatusOr<std::string> FakeHost::ReadFile(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<const Node*> node = Find(path, true);
  if (!node.ok()) return node.status();
  if ((*node)->kind == FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("is a directory: " + path);
  }
  return (*node)->content;
}

absl::StatusOr<FileStatus> FakeHost::Status(const std::string& path, bool follow_last) {
  const absl::StatusOr<const Node*> node = Find(path, follow_last);
  if (!node.ok()) return node.status();
  FileStatus status;
  status.kind = (*node)->kind;
  status.mode = (*node)->mode;
  status.uid = (*node)->uid;
  status.gid = (*node)->gid;
  status.size_bytes = (*node)->content.size();
  status.inode = (*node)->inode;
  status.device = 1;
  status.modified_at = (*node)->modified_at;
  return status;
}

absl::StatusOr<FileStatus> FakeHost::Stat(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Status(path, true);
}

absl::StatusOr<FileStatus> FakeHost::LStat(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Status(path, false);
}

absl::StatusOr<std::string> FakeHost::ReadLink(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<const Node*> node = Find(path, false);
  if (!node.ok()) return node.status();
  if ((*node)->kind != FileStatus::Kind::kLink) {
    return absl::FailedPreconditionError("not a symbolic link: " + path);
  }
  return (*node)->content;
}

absl::StatusOr<std::vector<std::string>> FakeHost::ListDirectory(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<const Node*> node = Find(path, true);
  if (!node.ok()) return node.status();
  if ((*node)->kind != FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("not a directory: " + path);
  }
  const std::string prefix = Join(*Resolve(path, true), "");
  std::vector<std::string> names;
  for (auto it = nodes_.lower_bound(prefix); it != nodes_.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    const std::string name = it->first.substr(prefix.size());
    if (!name.empty() && name.find('/') == std::string::npos) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::string> FakeHost::HashFile(const std::string& path, const char* algorithm) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  const EVP_MD* digest = EVP_get_digestbyname(algorithm);
  if (digest == nullptr) return absl::InvalidArgumentError(absl::StrCat("no digest ", algorithm));
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(content->data(), content->size(), bytes, &size, digest, nullptr);
  return Hex(std::string_view(reinterpret_cast<char*>(bytes), size));
}

absl::StatusOr<FileSystemUse> FakeHost::Use(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(path); !status.ok()) return status;
  // The nearest one above the path, as statfs answers for the file system that holds it.
  for (std::string at = path;; at = Parent(at)) {
    const auto it = uses_.find(at);
    if (it != uses_.end()) return it->second;
    if (at == "/") return NoSuchFile(path);
  }
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

absl::StatusOr<v1::Unit> FakeHost::ReadUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = units_.find(name);
  if (it == units_.end()) return absl::NotFoundError("no such unit: " + name);
  return it->second;
}

absl::StatusOr<std::vector<std::string>> FakeHost::ReadUnitEnvironment(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = environments_.find(name);
  if (it != environments_.end()) return it->second;
  if (units_.count(name) > 0) return std::vector<std::string>();
  return absl::NotFoundError("no such unit: " + name);
}

absl::StatusOr<CommandResult> FakeHost::Run(const std::vector<std::string>& arguments,
                                            const CommandOptions&) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string command = absl::StrJoin(arguments, " ");
  commands_run_.push_back(command);
  if (const absl::Status status = Enter(arguments.at(0)); !status.ok()) return status;
  const auto it = commands_.find(command);
  if (it == commands_.end()) return absl::NotFoundError("no such command: " + command);
  return it->second;
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
