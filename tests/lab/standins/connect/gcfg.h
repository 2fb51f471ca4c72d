// As much of the gcfg format as the stand-in needs: sections, keys, quotes, comments, and
// CONNECT_SECTION_KEY from the environment, which wins. Names are case-insensitive; a key alone is
// true; of a repeated key the last value counts, but for lists.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

class Config {
 public:
  static Config Load(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    Config config;
    std::string section;
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      line = Trim(line);
      ++number;
      if (line.empty() || line[0] == ';' || line[0] == '#') continue;
      if (line[0] == '[') {
        if (line.find(']') == std::string::npos)
          throw std::runtime_error(path + ":" + std::to_string(number) +
                                   ": expected right bracket");
        section = Lower(line.substr(1, line.find_first_of(" ]") - 1));
        continue;
      }
      const size_t equals = line.find('=');
      if (section.empty())
        throw std::runtime_error(path + ":" + std::to_string(number) + ": expected section header");
      const std::string key = section + "." + Lower(Trim(line.substr(0, equals)));
      config.values_[key].push_back(
          equals == std::string::npos ? "true" : Unquote(Trim(line.substr(equals + 1))));
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
    if (found == values_.end() || found->second.back().empty()) return otherwise;
    return found->second.back();
  }

  // What a reload takes up of the file as it is now: the banner.
  void TakeReloadable(const Config& now) {
    constexpr char kBanner[] = "standin.banner";
    values_.erase(kBanner);
    const auto found = now.values_.find(kBanner);
    if (found != now.values_.end()) values_.insert(*found);
  }

  // Every value of a key that may be repeated.
  std::vector<std::string> All(const std::string& section, const std::string& key) const {
    const auto found = values_.find(section + "." + key);
    return found == values_.end() ? std::vector<std::string>() : found->second;
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

  std::map<std::string, std::vector<std::string>> values_;
};
