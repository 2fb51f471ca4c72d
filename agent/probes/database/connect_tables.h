// What is known of the tables that Connect keeps in its database, and what they say. No page of its
// vendor lists them: every name that is gone by stands in connect_tables.cc, and nothing is asked
// by one before the server has said that it is there.
//
// For database_session.cc, which catches what libpqxx throws.
#pragma once

#include <functional>
#include <string>

#include "connect_ha/v1/facts.pb.h"

namespace pqxx {
class connection_base;
class transaction_base;
}  // namespace pqxx

namespace connect_ha {

// encoding, create_schema, can_create, connect_tables and other_tables.
void CountTables(pqxx::transaction_base& session, v1::DatabaseFacts& facts);

// What every transaction begins with: limits of time, and where tables are looked for.
using BeginSession = std::function<void(pqxx::transaction_base&)>;

// `migration`, where the tables say it. In a transaction of its own that only reads, as below, and
// two seconds at the most for a statement.
void ReadMigration(pqxx::connection_base& connection, const BeginSession& begin,
                   v1::DatabaseFacts& facts);

// `pinned` and, of the runtimes of which the tables do not say it, `pinned_unknown`, which names
// them: both may be there.
void ReadPinned(pqxx::connection_base& connection, const BeginSession& begin,
                v1::DatabaseFacts& facts);

}  // namespace connect_ha
