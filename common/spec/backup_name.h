// database.backup_before_migration.command: a file's name, and nothing that leads elsewhere.
#pragma once

#include <string>

namespace connect_ha {

// 1 to 64 letters, digits, _ . and -, the first a letter or digit.
bool IsBackupName(const std::string& text);

}  // namespace connect_ha
