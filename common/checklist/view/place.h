// Where a directory really is: a path inside a file system that has one name on every node.
#pragma once

#include <optional>
#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

enum class Reach { kLocal, kNetwork, kUnknown };

// Whether a file system of this type is on this machine alone. kUnknown for a type that is not
// known here (a FUSE file system can be either).
Reach ReachOf(const std::string& fs_type);

struct Place {
  // An EFS file system ("fs-0ab1"), or a server ("nfs.example.com").
  std::string server;
  // The directory, from the root of what the server exports.
  std::string path;
  // False when the same server may have another name on another node: an address, or a tunnel
  // on this machine. Then only an equal name says something.
  bool server_is_named = true;

  std::string Text() const { return server + ":" + path; }
};

// The place of a directory at `below` the root of a network mount.
Place PlaceOf(const v1::Mount& mount, const std::string& below);

enum class Sameness { kSame, kDifferent, kUnknown };
// As far as names tell; kSame means that nothing speaks against it.
Sameness Same(const Place& a, const Place& b);

}  // namespace connect_ha
