#include "common/spec/connect_template.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/connect/gcfg.h"
#include "common/spec/connect_template_text.h"

namespace connect_ha {
namespace {

constexpr char kFirstLines[] =
    "; Written by connect-ha from the cluster's specification: change it there.\n";

absl::Status At(FilePosition position, const std::string& message) {
  return absl::InvalidArgumentError(
      absl::StrCat("line ", position.line, ", column ", position.column, ": ", message));
}

std::string NameOf(const GcfgEntry& entry) { return absl::StrCat(entry.section, ".", entry.name); }

class Renderer {
 public:
  Renderer(std::string_view text, const std::map<std::string, std::string>& values)
      : file_(ParseGcfg(text)), text_(WithoutByteOrderMark(text)), values_(values) {}

  absl::StatusOr<std::string> Render() {
    if (!file_.errors.empty()) {
      const GcfgError& error = file_.errors[0];
      return At({static_cast<int>(error.line), static_cast<int>(error.column)}, error.message);
    }
    std::string rendered = kFirstLines;
    std::string header;
    for (const GcfgEntry& entry : file_.entries) {
      const std::string entry_header = GcfgHeader(entry.section, entry.subsection);
      if (header != entry_header) absl::StrAppend(&rendered, "\n", entry_header, "\n");
      header = entry_header;
      const auto value = Fill(entry);
      if (!value.ok()) return value.status();
      absl::StrAppend(&rendered, entry.name, " = ", GcfgQuoted(*value), "\n");
    }
    return rendered;
  }

 private:
  absl::StatusOr<std::string> Fill(const GcfgEntry& entry) {
    const FilePosition place = {static_cast<int>(entry.line), static_cast<int>(entry.column)};
    if (!entry.value) {
      return At(place, absl::StrCat(NameOf(entry), " has no value; write ", entry.name, " = true"));
    }
    const auto pieces = SplitTemplateValue(*entry.value);
    if (!pieces.ok()) {
      return At(PositionOfPlaceholder(text_, entry, ""), std::string(pieces.status().message()));
    }
    std::string value;
    for (const TemplatePiece& piece : *pieces) {
      const absl::Status filled = Append(entry, piece, value);
      if (!filled.ok()) return filled;
    }
    return value;
  }

  absl::Status Append(const GcfgEntry& entry, const TemplatePiece& piece, std::string& value) {
    if (!piece.is_name) {
      value += piece.text;
      return absl::OkStatus();
    }
    const FilePosition place = PositionOfPlaceholder(text_, entry, piece.text);
    const auto found = values_.find(piece.text);
    if (found == values_.end()) {
      return At(place, absl::StrCat("nothing is known to fill in for ${", piece.text, "}"));
    }
    const absl::Status can_hold = CheckGcfgCanHold(found->second);
    if (!can_hold.ok()) {
      return At(place, absl::StrCat("what is to be filled in for ${", piece.text, "} has ",
                                    std::string(can_hold.message()),
                                    ", which Connect's configuration cannot hold"));
    }
    value += found->second;
    return absl::OkStatus();
  }

  const GcfgFile file_;
  const std::string_view text_;
  const std::map<std::string, std::string>& values_;
};

}  // namespace

absl::StatusOr<std::string> RenderConnectConfig(std::string_view text,
                                                const std::map<std::string, std::string>& values) {
  return Renderer(text, values).Render();
}

std::vector<std::string> SecretsInTemplate(std::string_view text) {
  std::set<std::string> names;
  for (const GcfgEntry& entry : ParseGcfg(text).entries) {
    const auto pieces = SplitTemplateValue(entry.value.value_or(""));
    if (!pieces.ok()) continue;
    for (const TemplatePiece& piece : *pieces) {
      const std::string name = piece.is_name ? SecretNameOf(piece.text) : "";
      if (!name.empty()) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace connect_ha
