#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/connect/utf8.h"
#include "common/nearest.h"
#include "common/spec/config_loader.h"
#include "common/spec/config_scalar.h"

namespace connect_ha {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

FilePosition PositionOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

std::string Describe(const YAML::Node& node) {
  if (node.IsScalar()) return absl::StrCat("\"", node.Scalar(), "\"");
  return node.IsSequence() ? "a list" : node.IsMap() ? "a mapping" : "nothing";
}

std::vector<std::string> FieldNames(const Descriptor& descriptor) {
  std::vector<std::string> names;
  names.reserve(descriptor.field_count());
  for (int i = 0; i < descriptor.field_count(); ++i) names.push_back(descriptor.field(i)->name());
  return names;
}

// What to say of a key that another file has, or none; "" for any other key.
std::string WhereItBelongs(const Descriptor& file, const std::string& section,
                           const YAML::Node& key, const YAML::Node& value) {
  const bool is_cluster = &file == v1::ClusterSpec::descriptor();
  if (is_cluster && v1::AgentConfig::descriptor()->FindFieldByName(key.Scalar()) != nullptr) {
    return absl::StrCat("\"", key.Scalar(),
                        "\" is a setting of one node; write it in that node's "
                        "/etc/connect-ha/agent.yaml");
  }
  if (is_cluster && section == "nodes" && value.IsMap()) {
    return absl::StrCat("\"", key.Scalar(),
                        "\" looks like a node; nodes are not listed here: this file holds for all, "
                        "and each joins with a token (connect-ha token create)");
  }
  if (&file == v1::AgentConfig::descriptor() &&
      v1::ClusterSpec::descriptor()->FindFieldByName(key.Scalar()) != nullptr) {
    return absl::StrCat("\"", key.Scalar(),
                        "\" is a setting of the whole cluster; write it in cluster.yaml");
  }
  return "";
}

// `path` is where the value stands, as in FilePositions; "" for the whole file.
class Reader {
 public:
  Reader(const std::string& file, const Descriptor& schema, FilePositions* positions)
      : file_(file), schema_(schema), positions_(positions) {}

  void ReadMessage(const YAML::Node& node, const std::string& path, Message& message) {
    if (!node.IsMap()) {
      Report(node.Mark(),
             absl::StrCat(path.empty() ? "the file" : path,
                          " must be a mapping of names to values, not ", Describe(node)),
             path);
      return;
    }
    std::map<std::string, YAML::Mark> seen;
    for (const auto& item : node) {
      if (!IsNewKey(item.first, seen)) continue;
      const std::string& name = item.first.Scalar();
      const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
      if (field == nullptr) {
        ReportUnknownKey(item.first, item.second, path, *message.GetDescriptor());
      } else {
        ReadField(item.first, item.second, Below(path, name), *field, message);
      }
    }
  }

  void Report(const YAML::Mark& mark, std::string text, std::string unread = "") {
    problems_.push_back(
        {file_, PositionOf(mark), std::move(text), Severity::kError, std::move(unread)});
  }

  std::vector<ConfigProblem> TakeProblems() {
    SortProblems(problems_);
    return std::move(problems_);
  }

 private:
  static std::string Below(const std::string& path, const std::string& name) {
    return path.empty() ? name : absl::StrCat(path, ".", name);
  }

  bool IsNewKey(const YAML::Node& key, std::map<std::string, YAML::Mark>& seen) {
    if (!key.IsScalar()) {
      Report(key.Mark(), absl::StrCat("a key must be a name, not ", Describe(key)));
      return false;
    }
    const auto [first, is_new] = seen.emplace(key.Scalar(), key.Mark());
    if (!is_new) {
      Report(key.Mark(), absl::StrCat("key \"", key.Scalar(), "\" is already given in line ",
                                      PositionOf(first->second).line, "; keep one"));
    }
    return is_new;
  }

  void ReportUnknownKey(const YAML::Node& key, const YAML::Node& value, const std::string& path,
                        const Descriptor& descriptor) {
    std::string elsewhere = WhereItBelongs(schema_, path, key, value);
    if (!elsewhere.empty()) {
      Report(key.Mark(), std::move(elsewhere));
      return;
    }
    const std::vector<std::string> names = FieldNames(descriptor);
    const std::string nearest = Nearest(key.Scalar(), names);
    Report(key.Mark(),
           absl::StrCat("unknown key \"", key.Scalar(), "\"; ",
                        nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                                        : absl::StrCat("did you mean \"", nearest, "\"?")),
           nearest.empty() ? "" : Below(path, nearest));
  }

  void ReadField(const YAML::Node& key, const YAML::Node& node, const std::string& path,
                 const FieldDescriptor& field, Message& message) {
    if (positions_ != nullptr) {
      (*positions_)[path] = PositionOf(node.IsNull() ? key.Mark() : node.Mark());
    }
    if (!IsOnlyOneOfIts(key, field, message)) return;
    if (node.IsNull()) {
      // A section whose every line is commented out.
      if (field.is_repeated() || IsSection(field)) return;
      Report(key.Mark(), absl::StrCat(path, " has no value; it must be ", DescribeFieldType(field)),
             path);
    } else if (field.is_map()) {
      ReadMap(node, path, field, message);
    } else if (field.is_repeated()) {
      ReadList(node, path, field, message);
    } else {
      ReadValue(node, path, field, message);
    }
  }

  bool IsOnlyOneOfIts(const YAML::Node& key, const FieldDescriptor& field, const Message& message) {
    const auto* oneof = field.real_containing_oneof();
    if (oneof == nullptr) return true;
    const auto* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (other == nullptr) return true;
    Report(key.Mark(), absl::StrCat("both \"", other->name(), "\" and \"", field.name(),
                                    "\" are given; keep one"));
    return false;
  }

  static bool IsDuration(const FieldDescriptor& field) {
    return field.message_type()->full_name() == "google.protobuf.Duration";
  }

  static bool IsSection(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsDuration(field);
  }

  // Each entry of a map is a message with the fields key and value.
  void ReadMap(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
               Message& message) {
    if (!node.IsMap()) {
      Report(node.Mark(), absl::StrCat(path, " must be a mapping, not ", Describe(node)), path);
      return;
    }
    std::map<std::string, YAML::Mark> seen;
    for (const auto& item : node) {
      if (!IsNewKey(item.first, seen)) continue;
      const std::string item_path = absl::StrCat(path, ".", item.first.Scalar());
      Message& entry = *message.GetReflection()->AddMessage(&message, &field);
      ReadValue(item.first, item_path, *field.message_type()->field(0), entry);
      ReadField(item.first, item.second, item_path, *field.message_type()->field(1), entry);
    }
  }

  void ReadList(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                Message& message) {
    if (!node.IsSequence()) {
      Report(node.Mark(),
             absl::StrCat(path, " must be a list, each item after \"- \", not ", Describe(node)),
             path);
      return;
    }
    for (size_t i = 0; i < node.size(); ++i) {
      const std::string item_path = absl::StrCat(path, "[", i, "]");
      if (positions_ != nullptr) (*positions_)[item_path] = PositionOf(node[i].Mark());
      ReadValue(node[i], item_path, field, message);
    }
  }

  // One value, of a field or of an item of a list.
  void ReadValue(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                 Message& message) {
    if (IsSection(field)) {
      const Reflection& reflection = *message.GetReflection();
      ReadMessage(node, path,
                  field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                      : *reflection.MutableMessage(&message, &field));
      return;
    }
    if (!node.IsScalar()) {
      Report(node.Mark(),
             absl::StrCat(path, " must be ", DescribeFieldType(field), ", not ", Describe(node)),
             path);
      return;
    }
    const absl::Status stored = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
                                    ? StoreDuration(node.Scalar(), field, message)
                                    // yaml-cpp's tag for a quoted scalar.
                                    : StoreScalar(message, field, node.Scalar(), node.Tag() == "!");
    if (!stored.ok()) Report(node.Mark(), absl::StrCat(path, " ", stored.message()), path);
  }

  static absl::Status StoreDuration(const std::string& text, const FieldDescriptor& field,
                                    Message& message) {
    const auto duration = ParseConfigDuration(text);
    if (!duration.ok()) return duration.status();
    const Reflection& reflection = *message.GetReflection();
    (field.is_repeated() ? reflection.AddMessage(&message, &field)
                         : reflection.MutableMessage(&message, &field))
        ->CopyFrom(*duration);
    return absl::OkStatus();
  }

  const std::string file_;
  const Descriptor& schema_;
  FilePositions* const positions_;
  std::vector<ConfigProblem> problems_;
};

FilePosition PositionOfByte(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

// Knows where the latest document began.
class DocumentStart : public YAML::EventHandler {
 public:
  const YAML::Mark& mark() const { return mark_; }

  void OnDocumentStart(const YAML::Mark& mark) override { mark_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  YAML::Mark mark_;
};

// YAML::Load passes over what follows the first document, be it one or a mistake; YAML::LoadAll
// never returns from some mistakes ("&a, b", yaml-cpp 0.7). The null mark: nothing follows.
YAML::Mark FindSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  const bool second = parser.HandleNextDocument(start) && parser.HandleNextDocument(start);
  return second ? start.mark() : YAML::Mark::null_mark();
}

}  // namespace

std::vector<ConfigProblem> ParseYaml(std::string_view text, const std::string& file,
                                     Message& message, FilePositions* positions) {
  // Deeper than any schema here, and far from the depth that would exhaust yaml-cpp's stack.
  constexpr size_t kSizeLimit = 1024 * 1024;
  if (text.size() > kSizeLimit) return {{file, {}, "is larger than 1 MiB"}};
  const size_t bad = FindInvalidUtf8OrNul(text, 0);
  if (bad < text.size()) return {{file, PositionOfByte(text, bad), "is not UTF-8 text"}};
  Reader reader(file, *message.GetDescriptor(), positions);
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsNull()) reader.ReadMessage(root, "", message);
    const YAML::Mark rest = FindSecondDocument(std::string(text));
    if (!rest.is_null()) reader.Report(rest, "a second document begins; keep one");
  } catch (const YAML::Exception& error) {
    reader.Report(error.mark, absl::StrCat("is not YAML: ", error.msg));
  }
  return reader.TakeProblems();
}

}  // namespace connect_ha
