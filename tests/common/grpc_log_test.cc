#include "common/tls/grpc_log.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(GrpcLog, AFailedHandshakeSaysWhatOpenSslSaysAndWhatItMeans) {
  EXPECT_EQ(WhyHandshakeFailed("Handshake failed with fatal error SSL_ERROR_SSL: "
                               "error:0A000086:SSL routines::certificate verify failed."),
            "TLS handshake failed (certificate verify failed): the caller's certificate is of "
            "another authority than this cluster's, or has expired");
  EXPECT_EQ(
      WhyHandshakeFailed("Handshake failed with fatal error SSL_ERROR_SSL: error:0A0000C7:SSL "
                         "routines::peer did not return a certificate."),
      "TLS handshake failed (peer did not return a certificate): the caller has no "
      "certificate; a node gets one on the port of enrolment, the next one");
  // As OpenSSL 1.1.1 says it.
  EXPECT_EQ(WhyHandshakeFailed("Handshake failed with fatal error SSL_ERROR_SSL: "
                               "error:1408F10B:SSL routines:ssl3_get_record:wrong version number."),
            "TLS handshake failed (wrong version number): the caller does not speak TLS");
  EXPECT_EQ(
      WhyHandshakeFailed("Handshake failed with fatal error SSL_ERROR_SSL: error:0A000123:SSL "
                         "routines::something new."),
      "TLS handshake failed (something new): see what else the log says");
}

TEST(GrpcLog, OtherLinesAreNoFailedHandshake) {
  EXPECT_EQ(WhyHandshakeFailed("No match found for server name: localhost."), "");
  EXPECT_EQ(WhyHandshakeFailed(""), "");
}

}  // namespace
}  // namespace connect_ha
