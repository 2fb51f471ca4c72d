#include <gtest/gtest.h>

#include "tests/coordinator/identity/enrolment_fixture.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

using RenewalTest = EnrolmentFixture;

TEST_F(RenewalTest, RenewsForTheSameNameAndRole) {
  const auto joined = Join(NewToken(), Joiner());
  const auto caller = ParseCertificate(joined->certificate_pem());
  const std::string new_key = *MakeKey();
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(new_key));

  const auto renewed = enrolment_.Renew(request, *caller, kNow + hours(15 * 24));

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  const auto certificate = ParseCertificate(renewed->certificate_pem());
  EXPECT_EQ(certificate->identity, caller->identity);
  EXPECT_EQ(certificate->not_after, kNow + hours(45 * 24));
  EXPECT_TRUE(KeyMatches(new_key, renewed->certificate_pem()));
  EXPECT_TRUE(Stands(renewed->certificate_pem()).ok());
}

TEST_F(RenewalTest, RenewsAnAdminToo) {
  const std::string key = *MakeKey();
  const auto caller = ParseCertificate(*authority_.Issue({admin_, {}}, *MakeCsr(key), kNow));
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(key));

  const auto renewed = enrolment_.Renew(request, *caller, kNow);

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(ParseCertificate(renewed->certificate_pem())->identity, admin_);
}

TEST_F(RenewalTest, ARenewalIsNoEventAndBringsWhatElseANodeGoesBy) {
  const auto joined = Join(NewToken(), Joiner());
  const size_t events = store_->ListEvents({})->size();
  const size_t entries = Audit().size();

  const auto renewed = Renew(joined->certificate_pem(), kNow + hours(15 * 24));

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(renewed->digest_key(), std::string(32, 'd'));
  EXPECT_EQ(renewed->digest_key_id(), DigestKeyId(std::string(32, 'd')));
  ASSERT_EQ(renewed->coordinators_size(), 1);
  EXPECT_EQ(renewed->coordinators(0), "ha.example.com:8443");
  EXPECT_EQ(joined->coordinators(0), "ha.example.com:8443");
  EXPECT_EQ(joined->digest_key_id(), renewed->digest_key_id());
  EXPECT_EQ(store_->ListEvents({})->size(), events);
  EXPECT_EQ(Audit().size(), entries);
}

TEST_F(RenewalTest, ARenewalIsLogged) {
  const auto joined = Join(NewToken(), Joiner());
  const LogCapture log;
  const auto renewed = Renew(joined->certificate_pem(), kNow + hours(15 * 24));
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  const auto lines = log.Await("event=CERTIFICATE_RENEWED of=node/node-1 text=");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find(ParseCertificate(renewed->certificate_pem())->serial), std::string::npos);
}

TEST_F(RenewalTest, AnAdminsRenewalBringsNoDigestKey) {
  const auto renewed = Renew(*authority_.Issue({admin_, {}}, *MakeCsr(*MakeKey()), kNow), kNow);

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(renewed->digest_key(), "");
  EXPECT_EQ(renewed->coordinators_size(), 0);
}

TEST_F(RenewalTest, RenewsTenTimesAnHourAtTheMostForEach) {
  const auto joined = Join(NewToken(), Joiner());
  const auto other = Join(NewToken(), {"node-2", "fedcba98", *MakeKey()});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Renew(joined->certificate_pem(), kNow + minutes(i)).ok()) << i;
  }

  const auto eleventh = Renew(joined->certificate_pem(), kNow + minutes(10));

  EXPECT_EQ(eleventh.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(eleventh.status().message().substr(0, 62),
            "node/node-1 renewed its certificate 10 times within an hour; f");
  EXPECT_TRUE(Renew(other->certificate_pem(), kNow + minutes(10)).ok());
  EXPECT_TRUE(Renew(joined->certificate_pem(), kNow + minutes(60)).ok());
}

}  // namespace
}  // namespace connect_ha
