#include "common/connect/connect_redaction.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>

#include "absl/strings/str_replace.h"

namespace connect_ha {
namespace {

struct Case {
  const char* value;
  const char* text;
  const char* passwords;
};

TEST(ConnectRedactionTest, MasksPasswordsAndNothingElse) {
  const Case cases[] = {
      {"", "", ""},
      {"/mnt/connect", "/mnt/connect", ""},
      {"a@example.com", "a@example.com", ""},
      {"postgres://u:pw@db:5432/connect?sslmode=require",
       "postgres://u:***@db:5432/connect?sslmode=require", "pw\n"},
      {"postgres://u@db:5432/connect", "postgres://u@db:5432/connect", ""},
      {"postgres://u:{$}@db/connect", "postgres://u:{$}@db/connect", ""},
      {"postgres://u:@db/connect", "postgres://u:@db/connect", ""},
      // Not encoded as a URL asks, and still not to be shown.
      {"postgres://u:p@s/s:w?#d@db/connect", "postgres://u:***@db/connect", "p@s/s:w?#d\n"},
      {"postgres://db/connect?user=u&password=pw&sslmode=require",
       "postgres://db/connect?user=u&password=***&sslmode=require", "pw\n"},
      {"postgres://u:one@db/connect?sslpassword=two", "postgres://u:***@db/connect?sslpassword=***",
       "one\ntwo\n"},
      {"host=db password='p w' user=u", "host=db password='***' user=u", "p w\n"},
      {"host=db PASSWORD=pw", "host=db PASSWORD=***", "pw\n"},
      {"https://proxy.example.com:8080/path", "https://proxy.example.com:8080/path", ""},
      {"http://a:x@one http://b:y@two", "http://***@one http://***@two", "a:x\nb:y\n"},
      {"postgres://u:p w@db/connect", "postgres://u:***@db/connect", "p w\n"},
      // A token may stand in either place of a login.
      {"https://TOKEN@example.com/cran", "https://***@example.com/cran", "TOKEN\n"},
      {"https://TOKEN:@example.com", "https://***@example.com", "TOKEN:\n"},
      {"https://TOKEN:x-oauth-basic@example.com", "https://***@example.com",
       "TOKEN:x-oauth-basic\n"},
      {"https://user:***@example.com", "https://user:***@example.com", ""},
      // Without a scheme.
      {"u:p w@db/connect", "u:***@db/connect", "p w\n"},
      {"//u:pw@db", "//u:***@db", "pw\n"},
      {"Posit: admin@example.com", "Posit: admin@example.com", ""},
      {"Ask https://help.example.com, the intranet", "Ask https://help.example.com, the intranet",
       ""},
      {"git@example.com:team/repository", "git@example.com:team/repository", ""},
      // Cut off by a comment: pa;ss@db.
      {"postgres://u:pa", "postgres://u:***", "pa\n"},
      {"postgres://u:12ab", "postgres://u:***", "12ab\n"},
      {"http://[::1]:3939/x", "http://[::1]:3939/x", ""},
      {"postgres://one:5432,two:5432/connect", "postgres://one:5432,two:5432/connect", ""},
      // By name.
      {"https://example.com/?a=1&api_key=k k&b=2", "https://example.com/?a=1&api_key=***",
       "k k&b=2\n"},
      {"https://example.com/?sig=a&b&user=d", "https://example.com/?sig=***&user=d", "a&b\n"},
      {"https://example.com/?pass%77ord=x", "https://example.com/?pass%77ord=***", "x\n"},
      {"https://example.com/?X-Amz-Security-Token=x",
       "https://example.com/?X-Amz-Security-Token=***", "x\n"},
      {"host=db password=p w user=u", "host=db password=*** user=u", "p w\n"},
      {"host=db password='p' w' user=u", "host=db password=*** user=u", "'p' w'\n"},
      {"host=db sslkey=/etc/client.key", "host=db sslkey=/etc/client.key", ""},
      {"{\"token\": \"x\", \"a\": 1}", "{\"token\": \"***\", \"a\": 1}", "x\n"},
      {"X-Auth-Token: abc def", "X-Auth-Token: ***", "abc def\n"},
      {"Authorization: Bearer abc", "Authorization: ***", "Bearer abc\n"},
  };
  for (const Case& expected : cases) {
    const Redacted redacted = RedactPasswords(expected.value);
    EXPECT_EQ(redacted.text, expected.text);
    EXPECT_EQ(redacted.passwords, expected.passwords) << expected.value;
  }
}

TEST(ConnectRedactionTest, AUrlMayLackItsScheme) {
  EXPECT_EQ(RedactConfigValue("URL", "TOKEN@example.com/cran").text, "***@example.com/cran");
  EXPECT_EQ(RedactConfigValue("SenderEmail", "a@example.com").text, "a@example.com");
  EXPECT_EQ(RedactConfigValue("Address", "https://example.com").text, "https://example.com");
}

// Secrets of letters with anything that a person may have left unencoded between them, in every
// place that is one of a secret: none of the letters shows.
TEST(ConnectRedactionTest, NothingOfASecretShowsWhateverIsInIt) {
  const char* const places[] = {
      "postgres://u:%@db.example.com:5432/connect?sslmode=require",
      "postgresql://u:%@db",
      "https://%@example.com/cran/latest",
      "https://%:@example.com",
      "https://%:x-oauth-basic@example.com",
      "https://user:%@example.com",
      "HTTPS://USER:%@EXAMPLE.COM",
      "git+https://user:%@example.com/a, https://%@example.com/b",
      "http://one.example.com http://a:%@two",
      "user:%@db.example.com/connect",
      "//user:%@db",
      "postgres://db/connect?user=u&password=%",
      "postgres://db/connect?password=%&sslmode=require",
      "https://example.com/?a=1&access_token=%&b=2",
      "https://example.com/#access_token=%",
      "host=db password=% user=u",
      "host=db password = '%' user=u",
      "host=db user=u sslpassword=%",
      "X-Api-Key: %",
      "Authorization: Basic %",
      "Bearer %",
  };
  const char* const parts[] = {" ", "@", "/", ":", "?", "#", "&",   "%40", "'",  "\"",
                               ";", ",", "=", "+", "$", "!", "://", "\t",  "\\", "[",
                               "]", "<", "{", "}", ".", "-", "_",   "|",   "12", "\xc3\xa4"};
  std::mt19937 random(20240801);
  for (int i = 0; i < 40'000; ++i) {
    std::string secret = "Zq";
    for (size_t more = random() % 4; more-- > 0;) {
      secret += std::string(parts[random() % std::size(parts)]) + "Zq";
    }
    const std::string value =
        absl::StrReplaceAll(places[random() % std::size(places)], {{"%", secret}});
    const Redacted redacted = RedactPasswords(value);
    ASSERT_EQ(redacted.text.find("Zq"), std::string::npos) << value << "\n" << redacted.text;
    ASSERT_NE(redacted.passwords, "") << value;
  }
}

}  // namespace
}  // namespace connect_ha
