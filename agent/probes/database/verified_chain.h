// The certificates that a server's was last verified with: all that the next connection needs of a
// CA file. libpq parses the whole file for each connection, and Amazon's and the distributions'
// hold more than a hundred certificates: five times the work of the connection itself.
#pragma once

#include <string>

#include "agent/host/fd.h"

struct ssl_st;

namespace connect_ha {

// For one thread at a time.
class VerifiedChain {
 public:
  // A PEM file with them, in memory, that can be read until the next Keep or Forget; "": none.
  std::string path() const;
  // Keeps them of this connection, if its server was verified; null: of none.
  void Keep(const ssl_st* connection);
  void Forget() { file_.Reset(); }

 private:
  Fd file_;
};

}  // namespace connect_ha
