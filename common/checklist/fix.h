// What to type about a finding, as data: who prints it or acts on it need not read prose.
//
// A fix is pasted by somebody tired. It is right when it is typed twice, and it never overwrites,
// moves or removes what may be the only copy of a key, a database or a file.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "common/text/shell_word.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// In the order in which they are taken.
using Fixes = std::vector<v1::Fix>;

// Commands for a shell on `node`, one line each; "": for wherever connect-ha is used. Every word
// that is not the program's own goes through shell_word.h. Where one of the commands holds a
// control character, which a terminal takes for a key, all of them are left out, and the note says
// so.
v1::Fix Type(const std::string& node, std::initializer_list<std::string> commands,
             const std::string& note = "");
// Nothing to paste: what to know or to do by hand. `node` may be "".
v1::Fix ByHand(const std::string& node, const std::string& note);

// Connect reads its configuration, and opens its data, when it starts: none of these is given
// where the configuration is not valid or the file system not there (Fix.needs).
v1::Fix StartConnect(const std::string& node);
v1::Fix RestartConnect(const std::string& node);
v1::Fix StopConnect(const std::string& node);

// `fix`, held back where one of these rules does not pass on its node.
v1::Fix Needing(v1::Fix fix, std::initializer_list<const char*> rules);

// "systemctl status rstudio-connect", "journalctl -u rstudio-connect -n 50"
v1::Fix LookAtConnect(const std::string& node);

// A package again in the version that is there, since without one apt takes the newest. By hand
// where dpkg could have neither this name nor this version: apt would read them as something else.
v1::Fix ReinstallPackage(const std::string& node, const std::string& package,
                         const std::string& version, const std::string& note = "");

}  // namespace connect_ha
