// Connect's configuration as the specification gives it: gcfg (see gcfg.h) whose values may have
// ${node.name} and ${secret.NAME} in them, which are filled in on the node. $${ stands for ${.
// Comments and section names are taken as they are.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/config_loader.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// The file to be written on a node: gcfg, every value quoted, in the order of `text`, without its
// comments. `values` has the keys "node.name" and "secret.NAME".
// InvalidArgument, with line and column: what is no gcfg, a name that `values` does not have, a
// value that gcfg cannot hold (a NUL, a carriage return, what is not UTF-8), a key without a value.
// No message has a value in it.
absl::StatusOr<std::string> RenderConnectConfig(std::string_view text,
                                                const std::map<std::string, std::string>& values);

// What would keep it from being rendered on a node, secrets that are written out or would be
// reported, and, as warnings, what Connect does not know or what will not do for a cluster. In file
// order. `file` is for the problems' text only.
std::vector<ConfigProblem> CheckConnectTemplate(std::string_view text, const std::string& file,
                                                const v1::ClusterSpec& spec);

// The NAMEs of ${secret.NAME} in it, sorted, each once.
std::vector<std::string> SecretsInTemplate(std::string_view text);

}  // namespace connect_ha
