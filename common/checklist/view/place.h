// Where a directory really is: a path inside a file system that nodes may have in common.
//
// Names disprove nothing: one server can have several names, and one name can lead to several
// servers. Only the ids of EFS file systems tell two of them apart.
#pragma once

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
  bool is_efs = false;
  // The server's, as the kernel has it (addr=, and port= if unusual); "" where it is not known.
  std::string address;
  // The server is the end of a tunnel on the node itself: it can lead anywhere.
  bool is_tunnel = false;
  // What paths can be compared with: those that count from the same root. An EFS access point
  // and an export of NFSv3 and NFSv4 can each have a root of their own. "" is comparable with none.
  std::string root;

  std::string Text() const { return server + ":" + path; }
};

// The place of a directory at `below` the root of a network mount.
Place PlaceOf(const v1::Mount& mount, const std::string& below);

// The value of NAME=value among the options of the file system; "" where it has no such option.
std::string SuperOption(const v1::Mount& mount, const std::string& name);

// Nothing can be written there, by how it is mounted: an export may be read-only all the same.
bool IsReadOnly(const v1::Mount& mount);

enum class Sameness { kSame, kDifferent, kUnknown };
// kSame means that nothing speaks against it; it is no proof.
Sameness Same(const Place& a, const Place& b);
// As Same, wherever in the file system the directories are.
Sameness SameServer(const Place& a, const Place& b);

}  // namespace connect_ha
