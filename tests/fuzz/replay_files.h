// The files of a corpus, one after the other.
#pragma once

#include <functional>
#include <string>

namespace connect_ha {

// Runs `run` over every file of the folders, each folder's in the order of their names. How many
// there were.
int ReplayFiles(int folders, char** folder,
                const std::function<void(const std::string& name, const std::string& bytes)>& run);

}  // namespace connect_ha
