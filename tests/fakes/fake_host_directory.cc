// FakeHost::FromDirectory: a captured node becomes a machine in memory.
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Abort(const std::string& message) {
  std::fprintf(stderr, "captured node: %s\n", message.c_str());
  std::abort();
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) Abort("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> Lines(const fs::path& path) {
  if (!fs::exists(path)) return {};
  std::vector<std::string> lines;
  for (const auto line : absl::StrSplit(ReadText(path), '\n', absl::SkipWhitespace())) {
    lines.emplace_back(line);
  }
  return lines;
}

template <typename Number>
Number ToNumber(const std::string& text, const fs::path& where) {
  Number number = 0;
  if (!absl::SimpleAtoi(text, &number)) Abort(where.string() + ": not a number: " + text);
  return number;
}

std::vector<fs::path> FilesIn(const fs::path& directory) {
  if (!fs::exists(directory)) return {};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  return files;
}

void LoadTree(FakeHost& host, const fs::path& root) {
  if (!fs::exists(root)) Abort("no such folder: " + root.string());
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = "/" + entry.path().lexically_relative(root).string();
    if (entry.is_symlink()) {
      host.SetLink(path, fs::read_symlink(entry.path()).string());
    } else if (entry.is_directory()) {
      host.SetDirectory(path);
    } else {
      host.SetFile(path, ReadText(entry.path()));
    }
  }
}

void LoadModes(FakeHost& host, const fs::path& file) {
  for (const std::string& line : Lines(file)) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (parts.size() != 4) Abort(file.string() + ": want MODE UID GID PATH: " + line);
    host.SetOwner(parts[3], static_cast<uint32_t>(std::strtoul(parts[0].c_str(), nullptr, 8)),
                  ToNumber<uint32_t>(parts[1], file), ToNumber<uint32_t>(parts[2], file));
  }
}

void LoadAccounts(FakeHost& host, const fs::path& etc) {
  std::map<uint32_t, std::string> names;
  std::map<std::string, std::set<uint32_t>> member_of;
  for (const std::string& line : Lines(etc / "group")) {
    const std::vector<std::string> parts = absl::StrSplit(line, ':');
    if (parts.size() < 4) Abort("root/etc/group: " + line);
    const auto gid = ToNumber<uint32_t>(parts[2], etc / "group");
    host.SetGroup(parts[0], gid);
    names[gid] = parts[0];
    for (const auto member : absl::StrSplit(parts[3], ',', absl::SkipEmpty())) {
      member_of[std::string(member)].insert(gid);
    }
  }
  for (const std::string& line : Lines(etc / "passwd")) {
    const std::vector<std::string> parts = absl::StrSplit(line, ':');
    if (parts.size() < 4) Abort("root/etc/passwd: " + line);
    UserEntry user;
    user.name = parts[0];
    user.uid = ToNumber<uint32_t>(parts[2], etc / "passwd");
    user.gid = ToNumber<uint32_t>(parts[3], etc / "passwd");
    user.primary_group = names[user.gid];
    member_of[user.name].insert(user.gid);
    user.groups.assign(member_of[user.name].begin(), member_of[user.name].end());
    host.SetUser(std::move(user));
  }
}

std::vector<UnitVariable> Variables(const fs::path& file) {
  std::vector<UnitVariable> variables;
  UnitVariable next;
  for (const std::string& line : Lines(file)) {
    if (line[0] == '#') {
      const std::vector<std::string> place = absl::StrSplit(line.substr(2), ':');
      if (place.size() != 2) Abort(file.string() + ": want # FILE:LINE: " + line);
      next.file = place[0];
      next.line = ToNumber<unsigned>(place[1], file);
      continue;
    }
    next.assignment = line;
    variables.push_back(std::move(next));
    next = {};
  }
  return variables;
}

void LoadUnits(FakeHost& host, const fs::path& directory) {
  for (const fs::path& file : FilesIn(directory)) {
    if (file.extension() == ".environment") {
      host.SetUnitVariables(file.stem().string(), Variables(file));
      continue;
    }
    if (file.extension() == ".process") {
      host.SetProcessEnvironment(file.stem().string(), Lines(file));
      continue;
    }
    v1::Unit unit;
    if (!google::protobuf::TextFormat::ParseFromString(ReadText(file), &unit)) {
      Abort("not a Unit: " + file.string());
    }
    if (unit.name().empty()) unit.set_name(file.stem().string());
    host.SetUnit(unit);
  }
}

// Two head lines, then the body.
std::vector<std::string> ReadCanned(const fs::path& file) {
  std::vector<std::string> parts = absl::StrSplit(ReadText(file), absl::MaxSplits('\n', 2));
  if (parts.size() < 2) Abort("want two lines and a body: " + file.string());
  parts.resize(3);
  return parts;
}

void LoadAnswers(FakeHost& host, const fs::path& directory) {
  for (const fs::path& file : FilesIn(directory / "commands")) {
    const std::vector<std::string> parts = ReadCanned(file);
    CommandResult result;
    result.exit_code = ToNumber<int>(parts[1], file);
    result.output = parts[2];
    host.SetCommand(parts[0], std::move(result));
  }
  for (const fs::path& file : FilesIn(directory / "http")) {
    const std::vector<std::string> parts = ReadCanned(file);
    const std::vector<std::string> request = absl::StrSplit(parts[0], absl::MaxSplits(' ', 1));
    if (request.size() != 2) Abort("want METHOD URL: " + file.string());
    HttpResponse response;
    response.status = ToNumber<int>(parts[1], file);
    response.body = parts[2];
    host.SetHttp(request[0], request[1], std::move(response));
  }
}

void LoadSpaceAndClock(FakeHost& host, const fs::path& directory) {
  for (const std::string& line : Lines(directory / "space")) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (parts.size() < 3) Abort("space: want PATH SIZE FREE [ro]: " + line);
    FileSystemUse use;
    use.size_bytes = ToNumber<uint64_t>(parts[1], "space");
    use.free_bytes = ToNumber<uint64_t>(parts[2], "space");
    use.read_only = parts.size() > 3 && parts[3] == "ro";
    host.SetUse(parts[0], use);
  }
  for (const std::string& line : Lines(directory / "clock")) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (parts.size() != 3) Abort("clock: want NOW synchronized|unsynchronized ERROR: " + line);
    host.SetNow(Time(std::chrono::seconds(ToNumber<int64_t>(parts[0], "clock"))));
    KernelClock clock;
    clock.synchronized = parts[1] == "synchronized";
    clock.max_error = std::chrono::microseconds(ToNumber<int64_t>(parts[2], "clock"));
    host.SetKernelClock(clock);
  }
}

}  // namespace

std::unique_ptr<FakeHost> FakeHost::FromDirectory(const std::string& directory) {
  const fs::path base = fs::path(CONNECT_HA_SOURCE_DIR) / directory;
  auto host = std::make_unique<FakeHost>();
  LoadTree(*host, base / "root");
  LoadModes(*host, base / "modes");
  LoadAccounts(*host, base / "root" / "etc");
  LoadUnits(*host, base / "units");
  LoadAnswers(*host, base);
  LoadSpaceAndClock(*host, base);
  return host;
}

}  // namespace connect_ha
