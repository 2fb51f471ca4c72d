// The database server's certificate, as the agent reads it: libpq says that one was not verified,
// and not why.
#pragma once

#include <string>

#include "connect_ha/v1/facts.pb.h"

struct ssl_st;

namespace connect_ha {

// Until when it is valid. Null, or no certificate: nothing is noted.
void NoteCertificate(const ssl_st* connection, v1::DatabaseFacts& facts);

// Why one that nobody verified would not be: "the certificate expired on 2024-08-01T12:00:00Z", or
// who signed it, whom `ca_file` then does not know; "" without a certificate.
std::string WhyNotVerified(const ssl_st* connection, const std::string& ca_file);

}  // namespace connect_ha
