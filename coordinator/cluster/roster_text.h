// What nodes say about their convergence, in the words of events.
#pragma once

#include <string>

#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// "generation 3: changing", "generation 3: stuck: package rstudio-connect: digest differs". The
// same for what is the same but for how far it is.
std::string ConvergenceText(const v1::Convergence& convergence);

// "package rstudio-connect: absent -> 2024.08.0 (generation 3, in 1m 12s, of it 20s download, 1s
// verification)".
std::string ChangeText(const v1::ChangeMade& made);

}  // namespace connect_ha
