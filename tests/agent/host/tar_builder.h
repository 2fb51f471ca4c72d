// Tar archives byte by byte, for what no honest program would write.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace connect_ha {

struct TarEntry {
  std::string name;
  char type = '0';  // 1 hard link, 2 symbolic link, 3 4 6 devices and pipe, 5 directory, x pax
  std::string content;
  std::string link;
  uint32_t mode = 0644;
};

inline std::string Octal(uint64_t number, size_t width) {
  std::string text(width - 1, '0');
  for (size_t i = text.size(); number > 0 && i > 0; number /= 8) {
    text[--i] = static_cast<char>('0' + number % 8);
  }
  return text + '\0';
}

inline std::string TarHeader(const TarEntry& entry) {
  std::string header(512, '\0');
  header.replace(0, entry.name.size(), entry.name);
  header.replace(100, 8, Octal(entry.mode, 8));
  header.replace(108, 8, Octal(1000, 8));
  header.replace(116, 8, Octal(1000, 8));
  header.replace(124, 12, Octal(entry.content.size(), 12));
  header.replace(136, 12, Octal(0, 12));
  header.replace(148, 8, 8, ' ');
  header[156] = entry.type;
  header.replace(157, entry.link.size(), entry.link);
  header.replace(257, 8, std::string("ustar\00000", 8));
  uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  header.replace(148, 7, Octal(sum, 7));
  return header;
}

inline std::string Tar(const std::vector<TarEntry>& entries) {
  std::string archive;
  for (const TarEntry& entry : entries) {
    archive += TarHeader(entry) + entry.content;
    archive.resize((archive.size() + 511) / 512 * 512);
  }
  return archive + std::string(1024, '\0');
}

// An extended header: what it says overrules the next entry's own.
inline TarEntry Pax(const std::vector<std::pair<std::string, std::string>>& records) {
  std::string content;
  for (const auto& [key, value] : records) {
    const size_t rest = key.size() + value.size() + 3;
    size_t size = rest + 1;
    while (rest + std::to_string(size).size() != size) ++size;
    content += std::to_string(size) + " " + key + "=" + value + "\n";
  }
  return {"pax", 'x', content, "", 0644};
}

}  // namespace connect_ha
