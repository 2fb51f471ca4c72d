// The bash completion script. It needs nothing but bash: no bash-completion package.
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/command/command_line.h"

namespace connect_ha {
namespace {

// %NAME%: the program; %FUNCTION%: its function; the rest is made from the table.
constexpr char kScript[] = R"(# bash completion for %NAME%, made from its table of commands.
# To use it in this shell:  source <(%NAME% completion)
%FUNCTION%() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" choices="" i
  # bash takes "--option=value" for three words.
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      %VALUE_OPTIONS%)
        [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++))
        ((i++))
        ;;
      -*) ;;
      *) command+="${command:+ }${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$command|$previous" in
%VALUES%    *)
      case "$command" in
%COMMANDS%      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
}
complete -F %FUNCTION% %NAME%
)";

bool IsPath(const Option& option) {
  const absl::string_view value = option.value == nullptr ? "" : option.value;
  return value == "FILE" || value == "DIR";
}

std::string ValueOptions(const Program& program) {
  std::set<std::string> names = {"--no-option"};
  for (const Command& command : program.commands) {
    for (const Option& option : command.options) {
      if (option.value != nullptr) names.insert(option.name);
    }
  }
  if (names.size() > 1) names.erase("--no-option");
  return absl::StrJoin(names, " | ");
}

// One arm for each option that has choices or is a path.
std::string Values(const Program& program) {
  std::string out;
  for (const Command& command : program.commands) {
    if (command.hidden) continue;
    for (const Option& option : command.options) {
      if (option.value == nullptr) continue;
      absl::StrAppend(&out, "    \"", command.name, "|", option.name, "\" | \"", command.name,
                      " \"*\"|", option.name, "\")\n");
      if (IsPath(option)) {
        absl::StrAppend(&out, "      compopt -o default 2> /dev/null\n      return\n");
      } else {
        absl::StrAppend(&out, "      choices=\"", absl::StrReplaceAll(option.choices, {{"|", " "}}),
                        "\"\n");
      }
      absl::StrAppend(&out, "      ;;\n");
    }
  }
  return out;
}

// `name` and `pattern`, which bash takes for any text where a * stands in it.
void AddArm(const std::string& name, const std::string& pattern, const std::string& choices,
            std::string& out) {
  absl::StrAppend(&out, "        \"", name, "\"", pattern, ")\n          choices=\"", choices,
                  "\"\n          ;;\n");
}

// What may follow the words so far: first words, second words, options, operands.
std::string Commands(const Program& program) {
  std::set<std::string> first = {"--help", "--version", "help"};
  std::map<std::string, std::set<std::string>> second;
  std::string arms;
  for (const Command& command : program.commands) {
    if (command.hidden) continue;
    const std::string name = command.name;
    const size_t blank = name.find(' ');
    first.insert(name.substr(0, blank));
    if (blank != std::string::npos) second[name.substr(0, blank)].insert(name.substr(blank + 1));
    std::vector<std::string> options;
    for (const Option& option : command.options) options.emplace_back(option.name);
    options.emplace_back("--help");
    const std::string words = absl::StrJoin(options, " ");
    if (command.operand_choices.empty()) {
      AddArm(name, absl::StrCat(" | \"", name, " \"*"), words, arms);
    } else {
      const std::string operands = absl::StrReplaceAll(command.operand_choices, {{"|", " "}});
      AddArm(name, "", absl::StrCat(operands, " ", words), arms);
      AddArm(name + " ", "*", words, arms);
    }
  }
  std::string out;
  AddArm("", " | \"help\"", absl::StrJoin(first, " "), out);
  for (const auto& [word, words] : second) AddArm(word, "", absl::StrJoin(words, " "), out);
  return out + arms;
}

}  // namespace

std::string BashCompletion(const Program& program) {
  const std::string name = program.name;
  return absl::StrReplaceAll(kScript,
                             {{"%NAME%", name},
                              {"%FUNCTION%", "_" + absl::StrReplaceAll(name, {{"-", "_"}})},
                              {"%VALUE_OPTIONS%", ValueOptions(program)},
                              {"%VALUES%", Values(program)},
                              {"%COMMANDS%", Commands(program)}});
}

}  // namespace connect_ha
