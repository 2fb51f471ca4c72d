#include "common/connect/connect_redaction.h"

#include <gtest/gtest.h>

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
      {"http://a:x@one http://b:y@two", "http://a:***@one http://b:***@two", "x\ny\n"},
  };
  for (const Case& expected : cases) {
    const Redacted redacted = RedactPasswords(expected.value);
    EXPECT_EQ(redacted.text, expected.text);
    EXPECT_EQ(redacted.passwords, expected.passwords) << expected.value;
  }
}

}  // namespace
}  // namespace connect_ha
