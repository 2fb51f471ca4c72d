// State of another cluster or of another machine: a node that joined elsewhere, a disk image that
// was made of a node. It is moved to STATE_DIR/set-aside/SECONDS/, never deleted; orders of the
// owner's that say nothing yet take the place of the others' at once, so that who finds none knows
// that they are lost.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// Who may say what is done here.
struct Owner {
  std::string cluster;
  std::string machine_id;  // of this machine
  // The token that let the node in: whoever enrols again begins anew.
  std::string enrolment;
  // Of the machine that was let in; another one where the disk is a copy.
  std::string enrolled_machine_id;
};

enum class Belonging {
  kOurs,
  kBefore,  // of this cluster and machine, from before it enrolled again
  kAnothers,
};

// An assignment of release 0.1 names no cluster: its specification does.
Belonging BelongingOf(const v1::Assignment& assignment, const Owner& owner);

// Moves what is not ours: of another cluster or machine the assignment, the changes and the
// override that were perhaps not yet told, and what is known of installations; from before
// enrolling again the assignment alone, since the rest is still true. May be killed and called
// again. True: something was moved.
absl::StatusOr<bool> SetAside(WritableHost& host, const std::string& state_dir,
                              const v1::Assignment& assignment, const Owner& owner);

}  // namespace connect_ha
