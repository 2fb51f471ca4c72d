#include "common/tls/certificate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/tls/openssl.h"
#include "coordinator/identity/authority.h"

namespace connect_ha {
namespace {

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

Authority MakeAuthority() { return *Authority::Create("analytics", kNow); }

Subject Node(const std::string& name) { return {{"analytics", Role::kNode, name}, {}}; }

std::string NewCsr() { return *MakeCsr(*MakeKey()); }

// A request for a key of another kind.
std::string CsrOf(int curve) {
  const KeyContextHandle context(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), curve);
  EVP_PKEY_keygen(context.get(), &key);
  const KeyHandle handle(key);
  return *MakeCsr(*WriteKey(handle.get()));
}

// A request that asks for a name and a CA certificate of its own.
std::string GreedyCsr(const std::string& key) {
  const auto handle = ReadKey(key);
  const RequestHandle request(X509_REQ_new());
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("admin"), -1, -1, 0);
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions,
                         X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                             "URI:connect-ha://analytics/admin/mallory"));
  sk_X509_EXTENSION_push(extensions,
                         X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "CA:TRUE"));
  X509_REQ_add_extensions(request.get(), extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_set_pubkey(request.get(), handle->get());
  X509_REQ_sign(request.get(), handle->get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

TEST(Authority, IssuesThirtyDaysFromFiveMinutesAgo) {
  const Authority authority = MakeAuthority();
  const std::string key = *MakeKey();

  const auto pem = authority.Issue(Node("node-1"), *MakeCsr(key), kNow);

  ASSERT_TRUE(pem.ok()) << pem.status();
  const auto certificate = ParseCertificate(*pem);
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  EXPECT_EQ(FormatIdentity(certificate->identity), "connect-ha://analytics/node/node-1");
  EXPECT_EQ(certificate->not_before, kNow - std::chrono::minutes(5));
  EXPECT_EQ(certificate->not_after, kNow + std::chrono::hours(30 * 24));
  EXPECT_EQ(certificate->serial.size(), 32u);
  EXPECT_TRUE(certificate->hosts.empty());
  EXPECT_TRUE(KeyMatches(key, *pem));
  EXPECT_TRUE(VerifySignedBy(*pem, authority.certificate()).ok());
}

TEST(Authority, GivesEverySerialOnce) {
  const Authority authority = MakeAuthority();
  const std::string csr = NewCsr();

  const auto first = ParseCertificate(*authority.Issue(Node("node-1"), csr, kNow));
  const auto second = ParseCertificate(*authority.Issue(Node("node-1"), csr, kNow));

  EXPECT_NE(first->serial, second->serial);
}

TEST(Authority, PutsHostsInTheCoordinatorsCertificate) {
  const Authority authority = MakeAuthority();
  const Subject subject{{"analytics", Role::kCoordinator, "coordinator"},
                        {"ha.example.com", "10.0.0.1", "::1"}};

  const auto certificate = ParseCertificate(*authority.Issue(subject, NewCsr(), kNow));

  ASSERT_TRUE(certificate.ok()) << certificate.status();
  EXPECT_EQ(certificate->hosts, (std::vector<std::string>{"ha.example.com", "10.0.0.1", "::1"}));
}

TEST(Authority, TakesNothingFromTheRequestButItsKey) {
  const Authority authority = MakeAuthority();
  const std::string key = *MakeKey();

  const auto pem = authority.Issue(Node("node-1"), GreedyCsr(key), kNow);

  ASSERT_TRUE(pem.ok()) << pem.status();
  EXPECT_EQ(FormatIdentity(ParseCertificate(*pem)->identity), "connect-ha://analytics/node/node-1");
  EXPECT_EQ(X509_check_ca(ReadCertificate(*pem)->get()), 0);
}

TEST(Authority, RefusesARequestThatIsNotSignedByItsKey) {
  const Authority authority = MakeAuthority();
  std::string csr = NewCsr();
  csr.back() = static_cast<char>(csr.back() ^ 1);

  EXPECT_EQ(authority.Issue(Node("node-1"), csr, kNow).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Authority, RefusesAKeyThatIsNotP256) {
  const Authority authority = MakeAuthority();

  EXPECT_EQ(authority.Issue(Node("node-1"), CsrOf(NID_secp384r1), kNow).status(),
            absl::InvalidArgumentError("the certificate request is not for a P-256 key"));
  EXPECT_EQ(authority.Issue(Node("node-1"), CsrOf(NID_secp256k1), kNow).status(),
            absl::InvalidArgumentError("the certificate request is not for a P-256 key"));
}

TEST(Authority, RefusesGarbageForARequest) {
  const Authority authority = MakeAuthority();
  const std::string csr = NewCsr();
  for (const std::string& bad : {std::string(), std::string("garbage"), csr + "x",
                                 csr.substr(0, csr.size() - 1), std::string(1 << 20, '\x30')}) {
    EXPECT_EQ(authority.Issue(Node("node-1"), bad, kNow).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(Authority, RefusesNamesThatAreNotNames) {
  const Authority authority = MakeAuthority();
  for (const char* name : {"", "Node", "a/b", "a..b", "-a", "a-", "a\nb", "a,URI:x"}) {
    EXPECT_FALSE(authority.Issue(Node(name), NewCsr(), kNow).ok()) << name;
  }
  EXPECT_FALSE(authority.Issue({{"other", Role::kNode, "node-1"}, {}}, NewCsr(), kNow).ok());
}

TEST(Authority, NeverIssuesBeyondItsOwnEnd) {
  const Authority authority = MakeAuthority();
  const Time end = kNow + std::chrono::hours(10 * 365 * 24);

  const auto late = authority.Issue(Node("node-1"), NewCsr(), end - std::chrono::hours(1));

  EXPECT_EQ(ParseCertificate(*late)->not_after, end);
  EXPECT_EQ(authority.Issue(Node("node-1"), NewCsr(), end).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Authority, LoadsWhatItMade) {
  const Authority made = MakeAuthority();

  const auto loaded = Authority::Load(made.certificate(), made.key());

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->cluster(), "analytics");
  EXPECT_EQ(loaded->hash(), *CaHash(made.certificate()));
}

TEST(Authority, GivesTheSameDigestKeyEachTimeAndAnotherAuthorityAnother) {
  const Authority authority = MakeAuthority();
  const auto key = authority.DigestKey();

  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->size(), 32u);
  EXPECT_EQ(*Authority::Load(authority.certificate(), authority.key())->DigestKey(), *key);
  EXPECT_NE(*MakeAuthority().DigestKey(), *key);
}

TEST(Authority, DoesNotLoadALeafOrAnotherKey) {
  const Authority authority = MakeAuthority();
  const std::string key = *MakeKey();
  const std::string leaf = *authority.Issue(Node("node-1"), *MakeCsr(key), kNow);

  EXPECT_FALSE(Authority::Load(leaf, key).ok());
  EXPECT_FALSE(Authority::Load(authority.certificate(), key).ok());
}

TEST(Certificate, TellsOneAuthorityFromAnother) {
  const Authority authority = MakeAuthority();
  const Authority other = MakeAuthority();
  const std::string leaf = *authority.Issue(Node("node-1"), NewCsr(), kNow);

  EXPECT_FALSE(VerifySignedBy(leaf, other.certificate()).ok());
  EXPECT_NE(authority.hash(), other.hash());
}

TEST(Certificate, IsNotReadFromGarbage) {
  EXPECT_FALSE(ParseCertificate("").ok());
  EXPECT_FALSE(ParseCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n").ok());
  EXPECT_FALSE(ParseCertificate(MakeAuthority().certificate()).ok());  // no identity in it
}

TEST(Renewal, IsDueAroundHalfLifeAndSpreadOut) {
  const Authority authority = MakeAuthority();
  const std::string csr = NewCsr();
  std::vector<double> places;
  for (int i = 0; i < 50; ++i) {
    const auto certificate = *ParseCertificate(*authority.Issue(Node("node-1"), csr, kNow));
    const auto life = certificate.not_after - certificate.not_before;
    places.push_back(static_cast<double>((RenewalTime(certificate) - certificate.not_before) /
                                         std::chrono::microseconds(1)) /
                     static_cast<double>(life.count()));
  }
  const auto [first, last] = std::minmax_element(places.begin(), places.end());
  EXPECT_GE(*first, 0.4);
  EXPECT_LE(*last, 0.6);
  EXPECT_GT(*last - *first, 0.1);
}

TEST(Identity, UriIsReadBackAsWritten) {
  for (const Role role : {Role::kNode, Role::kAdmin, Role::kCoordinator}) {
    const Identity identity{"analytics", role, "name-1"};
    const auto parsed = ParseIdentityUri(FormatIdentity(identity));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, identity);
  }
}

TEST(Identity, RefusesOtherUris) {
  for (const char* uri : {"", "connect-ha://", "connect-ha://c/node", "connect-ha://c/node/",
                          "connect-ha://c/root/n", "connect-ha://c/node/n/x", "spiffe://c/node/n",
                          "connect-ha://c/node/N", "connect-ha:///node/n"}) {
    EXPECT_FALSE(ParseIdentityUri(uri).ok()) << uri;
  }
  EXPECT_FALSE(ParseIdentityUri(std::string("connect-ha://c/node/n\0x", 23)).ok());
}

TEST(Names, AreUpTo63OfTheFewCharacters) {
  EXPECT_TRUE(CheckName("node name", "a").ok());
  EXPECT_TRUE(CheckName("node name", "ip-10-0-0-1").ok());
  EXPECT_TRUE(CheckName("node name", std::string(63, 'a')).ok());
  EXPECT_FALSE(CheckName("node name", std::string(64, 'a')).ok());
  EXPECT_EQ(CheckName("node name", "Node\x1b[1m"),
            absl::InvalidArgumentError("node name \"Node?[1m\" is not valid; fix: use 1 to 63 of "
                                       "a-z, 0-9 and -, with no - at either end"));
}

}  // namespace
}  // namespace connect_ha
