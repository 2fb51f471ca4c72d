// What this project knows of the keys of Connect's configuration, as data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

struct ConnectKey {
  const char* section;
  const char* name;
  // What Connect takes where the configuration is silent; null: nothing, or not known.
  // {Section.Name} at the start stands for that key's value.
  const char* default_value = nullptr;
  // May be given many times, and every value holds. Else the last one does.
  bool many = false;
};

const std::vector<ConnectKey>& ConnectKeys();

// Null: this project does not know the key. Without regard to case.
const ConnectKey* FindConnectKey(std::string_view section, std::string_view name);

// The names of the sections, and of a section's keys, as far as this project knows them.
std::vector<std::string> ConnectSections();
std::vector<std::string> ConnectKeyNames(std::string_view section);

// Null, or what became of a key that Connect had once: "was removed in 1.7.8; leave it out".
const char* WhatBecameOfConnectKey(std::string_view section, std::string_view name);

// Never to be reported, but for a keyed digest. Also of keys that this project does not know.
bool IsSecretKey(std::string_view section, std::string_view name);

}  // namespace connect_ha
