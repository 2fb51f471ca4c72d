// A real PgBouncer in transaction mode.
#pragma once

#include <sys/types.h>

#include "tests/agent/probes/postgres_server.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

// In front of `server`, for as long as the object lives. It gives a transaction whichever of the
// server's connections is free. Whoever connects is let in, with the server's superuser. It may not
// listen yet when the object is made.
class Pooler {
 public:
  explicit Pooler(const PostgresServer& server);
  ~Pooler();
  Pooler(const Pooler&) = delete;
  Pooler& operator=(const Pooler&) = delete;

  int port() const { return port_; }

 private:
  TemporaryDirectory directory_;
  const int port_;
  pid_t process_ = -1;
};

}  // namespace connect_ha
