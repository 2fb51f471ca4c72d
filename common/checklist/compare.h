// The same thing as several nodes have it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/checklist/verdict.h"

namespace connect_ha {

struct Seen {
  std::string node;
  std::string value;
};

// What to type on the node of `seen` for it to have the value of `right`, whose node is "" when the
// specification says so.
using FixFor = std::function<std::string(const Seen& seen, const Seen& right)>;

// Judges each node by `wanted`. Where nothing is wanted, by what more than half of the nodes
// have; where no value has such a majority, nobody can say who is right, and all of them fail.
// `what` comes before the value in every line: "R 4.3.3, build". `fix` as in Verdict.
void Compare(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
             const std::optional<std::string>& wanted, const std::string& fix = "");
// With a fix for each node. Where nobody can say who is right, another node is supposed to be, and
// the fix says so.
void Compare(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
             const std::optional<std::string>& wanted, const FixFor& fix);

// As Compare without a wanted value, but silent when all agree. True when they do.
bool Agree(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
           const std::string& fix = "");

}  // namespace connect_ha
