// The process's side of SharedReader, and the messages of both sides.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/host/files/files.h"
#include "agent/host/network/fetch.h"
#include "agent/host/processes/beacon_work.h"
#include "agent/host/processes/mark_work.h"
#include "agent/host/processes/shared_reader.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/host/processes/storage_work.h"

namespace connect_ha {
namespace {

template <typename T>
absl::StatusOr<std::string> Encode(const absl::StatusOr<T>& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (!value.ok()) return value.status();
  return std::string(reinterpret_cast<const char*>(&*value), sizeof *value);
}

absl::StatusOr<std::string> PublicPiece(const std::string& path, uint64_t offset, size_t most) {
  const absl::StatusOr<FileSource> source = OpenSourceHere(path);
  if (!source.ok()) return source.status();
  return source->read(offset, most);
}

absl::StatusOr<std::string> Piece(char operation, const std::string& path,
                                  const std::string& argument) {
  const std::pair<std::string, std::string> numbers = absl::StrSplit(argument, ' ');
  uint64_t offset = 0;
  uint64_t most = 0;
  if (!absl::SimpleAtoi(numbers.first, &offset) || !absl::SimpleAtoi(numbers.second, &most) ||
      most > kLargestPiece) {
    return absl::InvalidArgumentError("a malformed request");
  }
  return operation == kPublicPieceOperation ? PublicPiece(path, offset, most)
                                            : ReadPieceHere(path, offset, most);
}

absl::StatusOr<std::string> Answer(const std::string& request) {
  const size_t end = request.find('\0');
  if (request.empty() || end == std::string::npos) {
    return absl::InvalidArgumentError("a malformed request");
  }
  const std::string path = request.substr(1, end - 1);
  const std::string argument = request.substr(end + 1);
  switch (request[0]) {
    case kReadOperation:
      return ReadFileHere(path);
    case kStatOperation:
      return Encode(StatHere(path, true));
    case kLStatOperation:
      return Encode(StatHere(path, false));
    case kUseOperation:
      return Encode(UseHere(path));
    case kRoundOperation:
      return StorageRoundHere(path, argument);
    case kMarkOperation:
      return ClusterMarkHere(path, argument);
    case kReadLinkOperation:
      return ReadLinkHere(path);
    case kPieceOperation:
    case kPublicPieceOperation:
      return Piece(request[0], path, argument);
    case kBeaconOperation:
      return ExchangeBeaconsHere(path, argument);
    case kListOperation: {
      const absl::StatusOr<std::vector<std::string>> names = ListDirectoryHere(path);
      if (!names.ok()) return names.status();
      return absl::StrJoin(*names, absl::string_view("\0", 1));
    }
    default:
      return absl::InvalidArgumentError("an unknown request");
  }
}

bool SendAll(int socket, const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

std::string MakeMessage(std::string_view body) {
  const uint32_t size = static_cast<uint32_t>(body.size());
  std::string message(reinterpret_cast<const char*>(&size), sizeof size);
  return message.append(body);
}

bool TakeMessage(std::string& received, std::string& body) {
  uint32_t size = 0;
  if (received.size() < sizeof size) return false;
  std::memcpy(&size, received.data(), sizeof size);
  if (received.size() - sizeof size < size) return false;
  body = received.substr(sizeof size, size);
  received.erase(0, sizeof size + size);
  return true;
}

std::string EncodeAnswer(const absl::StatusOr<std::string>& result) {
  const int32_t code = static_cast<int32_t>(result.status().code());
  std::string body(reinterpret_cast<const char*>(&code), sizeof code);
  return body + (result.ok() ? *result : std::string(result.status().message()));
}

absl::StatusOr<std::string> DecodeAnswer(const std::string& body) {
  int32_t code = 0;
  if (body.size() < sizeof code) return absl::InternalError("a malformed answer");
  std::memcpy(&code, body.data(), sizeof code);
  std::string rest = body.substr(sizeof code);
  if (code == 0) return rest;
  return absl::Status(static_cast<absl::StatusCode>(code), rest);
}

int ServeSharedReads(int socket) {
  if (!SendAll(socket, MakeMessage(""))) return 0;
  std::string received;
  std::array<char, 4096> buffer;
  while (true) {
    std::string request;
    while (TakeMessage(received, request)) {
      if (!SendAll(socket, MakeMessage(EncodeAnswer(Answer(request))))) return 0;
    }
    const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return 0;
    received.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace connect_ha
