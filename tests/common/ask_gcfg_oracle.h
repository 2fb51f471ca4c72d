// go-gcfg itself (gcfg_oracle/), as a program that is asked.
#pragma once

#include <string>
#include <vector>

#include "common/connect/gcfg.h"

namespace connect_ha {

// What go-gcfg makes of each text: "ok SECTION/SUBSECTION/NAME=VALUE,VALUE ..." or "error
// LINE:COLUMN WORDS".
std::vector<std::string> AskGcfgOracle(const std::vector<std::string>& texts);

// The same of ParseGcfg's result, without an error's words.
std::string GcfgAnswer(const GcfgFile& file);

}  // namespace connect_ha
