// As much of the gcfg format as the stand-in needs: sections, keys, quotes, comments, and
// CONNECT_SECTION_KEY from the environment, which wins. Names are case-insensitive; a repeated key
// keeps its last value.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

class Config {
 public:
  static Config Load(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    Config config;
    std::string section;
    for (std::string line; std::getline(file, line);) {
      line = Trim(line);
      if (line.empty() || line[0] == ';' || line[0] == '#') continue;
      if (line[0] == '[') {
        section = Lower(line.substr(1, line.find_first_of(" ]") - 1));
        continue;
      }
      const size_t equals = line.find('=');
      if (equals == std::string::npos) throw std::runtime_error(path + ": no = in: " + line);
      config.values_[section + "." + Lower(Trim(line.substr(0, equals)))] =
          Unquote(Trim(line.substr(equals + 1)));
    }
    return config;
  }

  // `section` and `key` in lower case.
  std::string Get(const std::string& section, const std::string& key,
                  const std::string& otherwise) const {
    std::string variable = "CONNECT_" + section + "_" + key;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    if (const char* value = std::getenv(variable.c_str())) return value;
    const auto found = values_.find(section + "." + key);
    return found == values_.end() || found->second.empty() ? otherwise : found->second;
  }

 private:
  static std::string Trim(const std::string& text) {
    const size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
  }

  static std::string Lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return text;
  }

  static std::string Unquote(const std::string& text) {
    if (text.empty() || text[0] != '"') return Trim(text.substr(0, text.find_first_of(";#")));
    std::string value;
    for (size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      value += text[i];
    }
    return value;
  }

  std::map<std::string, std::string> values_;
};
