// The text of a template's value: what stands in it and what is filled in. See connect_template.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/connect/gcfg.h"
#include "common/spec/config_loader.h"

namespace connect_ha {

struct TemplatePiece {
  std::string text;  // as it is; or, where is_name, what ${...} has between its braces
  bool is_name = false;
};

// InvalidArgument: a ${ is not closed.
absl::StatusOr<std::vector<TemplatePiece>> SplitTemplateValue(std::string_view value);

// "db_password" of "secret.db_password"; "" of anything else.
std::string SecretNameOf(std::string_view placeholder);

// Where "${name" stands in or after an entry; the entry itself where that is not to be found.
FilePosition PositionOfPlaceholder(std::string_view text, const GcfgEntry& entry,
                                   std::string_view name);

// [section "subsection"], and a value in quotes.
std::string GcfgHeader(const std::string& section, const std::string& subsection);
std::string GcfgQuoted(std::string_view value);
// InvalidArgument: gcfg cannot hold this value, whatever is written.
absl::Status CheckGcfgCanHold(std::string_view value);

}  // namespace connect_ha
