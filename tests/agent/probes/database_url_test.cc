#include "agent/probes/database/database_url.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TEST(DatabaseUrl, HasItsPartsDecoded) {
  const auto url = ParseDatabaseUrl(
      "postgres://con%40nect:p%3Ass%2Fw%40rd@db.example.com:5433/my%20db"
      "?sslmode=verify-full&sslrootcert=/etc/ca.pem&options=-csearch_path%3Dcontent%20-c%20x%3D1");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->user, "con@nect");
  EXPECT_EQ(url->password, "p:ss/w@rd");
  EXPECT_EQ(url->host, "db.example.com");
  EXPECT_EQ(url->port, 5433u);
  EXPECT_EQ(url->database, "my db");
  EXPECT_EQ(url->SslMode(), "verify-full");
  EXPECT_EQ(url->SearchPath(), "content");
  EXPECT_EQ(url->parameters.at("sslrootcert"), "/etc/ca.pem");
}

TEST(DatabaseUrl, HasConnectsDefaults) {
  const auto url = ParseDatabaseUrl("postgresql://connect@db");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->port, 5432u);
  EXPECT_EQ(url->database, "connect");
  EXPECT_EQ(url->password, "");
  EXPECT_EQ(url->SslMode(), "require");
  EXPECT_EQ(url->SearchPath(), "");
}

TEST(DatabaseUrl, TakesAnAddressOfIpv6) {
  const auto url = ParseDatabaseUrl("postgres://u@[2001:db8::1]:5433/d?search_path=one,two");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->port, 5433u);
  EXPECT_EQ(url->SearchPath(), "one,two");
}

TEST(DatabaseUrl, ParametersHoldAgainstTheRest) {
  const auto url = ParseDatabaseUrl(
      "postgres://u:p@h:1/d?user=connect&password=hun%26ter2&host=db&port=5433&dbname=content"
      "&sslmode=require");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->user, "connect");
  EXPECT_EQ(url->password, "hun&ter2");
  EXPECT_EQ(url->host, "db");
  EXPECT_EQ(url->port, 5433u);
  EXPECT_EQ(url->database, "content");
  EXPECT_EQ(url->parameters.size(), 1u);
  EXPECT_EQ(ParseDatabaseUrl("postgres://h/?user=connect")->database, "connect");
}

TEST(DatabaseUrl, IsRefusedWithoutRepeatingAnyOfIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "it does not begin with postgres://"},
      {"postgres://u:12/hunter2@h/d",
       "an @ stands behind the first / or ?; in a password / is %2F, ? is %3F, @ is %40"},
      {"postgres://u:12?hunter2@h/d",
       "an @ stands behind the first / or ?; in a password / is %2F, ? is %3F, @ is %40"},
      {"mysql://u:hunter2@h/d", "it does not begin with postgres://"},
      {"postgres://u:hunter2@h:0/d", "the port is not a number from 1 to 65535"},
      {"postgres://u:hunter2@h:65536/d", "the port is not a number from 1 to 65535"},
      {"postgres://u:hunter2%zz@h/d", "user or password is not percent-encoded"},
      {"postgres://u:hunter2%2", "the port is not a number from 1 to 65535"},
      {"postgres://u:hunter2@a,b/d", "it names several hosts"},
      {"postgres://u:hunter2@a/d?host=a,b", "it names several hosts"},
      {"postgres://u:hunter2@a/d?port=x", "the port is not a number from 1 to 65535"},
      {"postgres://u:hunter2@[::1/d", "no ] behind the address"},
      {"postgres://u:hunter2@h/%", "the database's name is not percent-encoded"},
      {"postgres://u:hunter2@h/d?options=%", "a parameter is not percent-encoded"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(ParseDatabaseUrl(text).status().message(), message) << text;
  }
}

}  // namespace
}  // namespace connect_ha
