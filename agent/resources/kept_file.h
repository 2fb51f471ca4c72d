// What a person's file held, before it is replaced or removed: it may be the only copy.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// Keeps the content of the file at `path`, if there is one and it holds anything but `next`, as
// STATE_DIR/FOLDER/DIGEST-NAME, the very first as first-DIGEST-NAME, root's alone; one content
// once. Of too many, the first that was kept and the latest stay.
absl::Status KeepFile(const ResourceContext& context, const std::string& path,
                      const std::string& folder, absl::string_view next = "");

}  // namespace connect_ha
