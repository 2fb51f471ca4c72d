// What SharedReader and its process say to each other. Both are the same binary: sizes and
// layouts are this machine's.
//
// A message is its length, 4 bytes, and its bytes. The process begins with an empty one. A request
// is an operation, a path, a NUL and an argument of any bytes; an answer is an absl::StatusCode, 4
// bytes, and the result or the error's message.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace connect_ha {

inline constexpr char kReadOperation = 'r';
inline constexpr char kStatOperation = 's';
inline constexpr char kLStatOperation = 'l';
inline constexpr char kReadLinkOperation = 'k';
inline constexpr char kListOperation = 'd';
inline constexpr char kPieceOperation = 'p';        // argument: "OFFSET MOST"
inline constexpr char kPublicPieceOperation = 'P';  // the same, of what everybody may read
inline constexpr char kUseOperation = 'u';
// Work on a shared mount (storage_work.h): argument and result are serialised messages.
inline constexpr char kRoundOperation = 'w';   // v1::StorageRoundRequest, v1::StorageRound
inline constexpr char kBeaconOperation = 'b';  // v1::BeaconExchange, v1::BeaconsFound
inline constexpr char kMarkOperation = 'm';    // v1::MarkRequest, v1::ClusterMark (mark_work.h)

// What is surely read, from a file system that answers at all, before an answer counts as late.
inline constexpr size_t kLargestPiece = 1024 * 1024;

std::string MakeMessage(std::string_view body);
// Takes one whole message off the front of `received`; false while it is not whole.
bool TakeMessage(std::string& received, std::string& body);

std::string EncodeAnswer(const absl::StatusOr<std::string>& result);
absl::StatusOr<std::string> DecodeAnswer(const std::string& body);

}  // namespace connect_ha
