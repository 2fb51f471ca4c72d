#include "coordinator/identity/init.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/spec/config_loader.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "coordinator/identity/example_spec.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

InitOptions Options(const TemporaryDirectory& dir) {
  InitOptions options;
  options.dir = dir / "state";
  options.spec = dir / "etc/cluster.yaml";
  options.cluster = "analytics";
  options.address = "ha.example.com";
  return options;
}

// Everything that a coordinator and its first admin need, and that it fits together.
void ExpectComplete(const InitOptions& options) {
  const auto authority = LoadAuthority(options.dir);
  ASSERT_TRUE(authority.ok()) << authority.status();
  const auto files = LoadCoordinatorFiles(options.dir);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->address, "ha.example.com:8443");
  EXPECT_EQ(files->ca, authority->certificate());
  EXPECT_EQ(files->digest_key.size(), 32u);
  EXPECT_TRUE(KeyMatches(files->key, files->certificate));
  EXPECT_TRUE(VerifySignedBy(files->certificate, files->ca).ok());
  const auto admin = LoadCredentials(options.dir + "/admin", "admin");
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE(VerifySignedBy(admin->certificate, files->ca).ok());
  EXPECT_EQ(*ReadSmallFile(options.dir + "/admin/ca.crt"), files->ca);
  EXPECT_EQ(*ReadSmallFile(options.dir + "/admin/coordinator"), "ha.example.com:8443\n");
  EXPECT_TRUE(FileExists(options.spec));
}

mode_t Mode(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST(Init, MakesWhatACoordinatorNeeds) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);

  const auto result = InitCluster(options, kNow);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->cluster, "analytics");
  EXPECT_EQ(result->address, "ha.example.com:8443");
  EXPECT_EQ(result->join_address, "ha.example.com:8444");
  EXPECT_TRUE(result->kept.empty());
  ExpectComplete(options);
  const auto coordinator = ParseCertificate(LoadCoordinatorFiles(options.dir)->certificate);
  EXPECT_EQ(FormatIdentity(coordinator->identity),
            "connect-ha://analytics/coordinator/coordinator");
  EXPECT_EQ(coordinator->hosts,
            (std::vector<std::string>{"127.0.0.1", "::1", "ha.example.com", "localhost"}));
  EXPECT_EQ(
      FormatActor(ParseCertificate(LoadCredentials(options.dir + "/admin", "admin")->certificate)
                      ->identity),
      "admin/admin");
}

TEST(Init, KeepsSecretsFromEverybodyElse) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(InitCluster(Options(dir), kNow).ok());
  for (const char* name :
       {"ca/ca.key", "tls/coordinator.key", "admin/admin.key", "first-admin.crt", "digest.key"}) {
    EXPECT_EQ(Mode(dir / "state/" + name), 0600u) << name;
  }
  EXPECT_EQ(Mode(dir / "state"), 0700u);
}

TEST(Init, RunAgainKeepsEverything) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  InitOptions again;
  again.dir = options.dir;
  again.spec = options.spec;

  const auto result = InitCluster(again, kNow + std::chrono::hours(1));

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->made.empty()) << result->made[0];
  EXPECT_EQ(result->cluster, "analytics");
  ExpectComplete(options);
}

TEST(Init, MakesAgainWhateverIsMissing) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  const std::string hash = InitCluster(options, kNow)->ca_hash;
  for (const char* name :
       {"tls/coordinator.crt", "tls/coordinator.key", "admin/admin.crt", "admin/admin.key",
        "admin/ca.crt", "admin/coordinator", "first-admin.crt", "digest.key", "coordinator"}) {
    ASSERT_TRUE(std::filesystem::remove(options.dir + "/" + name)) << name;

    const auto result = InitCluster(options, kNow);

    ASSERT_TRUE(result.ok()) << name << ": " << result.status();
    EXPECT_EQ(result->made.size(), 1u) << name;
    EXPECT_EQ(result->ca_hash, hash) << name;
    ExpectComplete(options);
  }
}

TEST(Init, NeverReplacesTheAuthority) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const std::string certificate = *ReadSmallFile(options.dir + "/ca/ca.crt");
  ASSERT_TRUE(std::filesystem::remove(options.dir + "/ca/ca.key"));

  const auto result = InitCluster(options, kNow);

  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*ReadSmallFile(options.dir + "/ca/ca.crt"), certificate);
}

TEST(Init, IssuesAnewWhatExpired) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const Time later = kNow + std::chrono::hours(31 * 24);

  const auto result = InitCluster(options, later);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->made, (std::vector<std::string>{options.dir + "/tls/coordinator.crt",
                                                    options.dir + "/admin/admin.crt"}));
  EXPECT_GT(ParseCertificate(LoadCoordinatorFiles(options.dir)->certificate)->not_after, later);
}

TEST(Init, AddsAHostToTheCoordinatorsCertificate) {
  const TemporaryDirectory dir;
  InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  options.hosts = {"10.0.0.7", "Other.Example.com", "2001:DB8:0::1"};

  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const auto again = InitCluster(options, kNow);

  EXPECT_EQ(ParseCertificate(LoadCoordinatorFiles(options.dir)->certificate)->hosts,
            (std::vector<std::string>{"10.0.0.7", "127.0.0.1", "2001:db8::1", "::1",
                                      "ha.example.com", "localhost", "other.example.com"}));
  EXPECT_TRUE(again->made.empty());
}

TEST(Init, AnAddressThatIsGivenLaterReplacesTheFirstAndBothAreInTheCertificate) {
  const TemporaryDirectory dir;
  InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  options.address = "new.example.com:9000";

  const auto result = InitCluster(options, kNow);

  ASSERT_TRUE(result.ok()) << result.status();
  const auto files = LoadCoordinatorFiles(options.dir);
  EXPECT_EQ(files->address, "new.example.com:9000");
  EXPECT_EQ(ParseCertificate(files->certificate)->hosts,
            (std::vector<std::string>{"127.0.0.1", "::1", "ha.example.com", "localhost",
                                      "new.example.com"}));
  EXPECT_EQ(*ReadSmallFile(options.dir + "/admin/coordinator"), "new.example.com:9000\n");
}

TEST(Init, RefusesThePortBehindWhichThereIsNoneToJoinAt) {
  const TemporaryDirectory dir;
  InitOptions options = Options(dir);
  options.address = "ha.example.com:65535";

  EXPECT_EQ(InitCluster(options, kNow).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Init, TheDigestKeyIsTheAuthoritysAndComesBackWhereTheCaAloneWasKept) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const std::string key = LoadCoordinatorFiles(options.dir)->digest_key;
  const TemporaryDirectory other_host;
  const InitOptions restored = Options(other_host);
  ASSERT_TRUE(MakeDirectories(restored.dir, 0700).ok());
  std::filesystem::copy(options.dir + "/ca", restored.dir + "/ca");

  ASSERT_TRUE(InitCluster(restored, kNow).ok());

  EXPECT_EQ(LoadCoordinatorFiles(restored.dir)->digest_key, key);
  EXPECT_FALSE(FileExists(NewClusterPath(restored.dir)));
  EXPECT_TRUE(FileExists(NewClusterPath(options.dir)));
}

TEST(Init, KeepsADigestKeyThatIsThere) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(MakeDirectories(options.dir, 0700).ok());
  ASSERT_TRUE(WriteSmallFile(options.dir + "/digest.key", std::string(32, 'k'), 0600).ok());

  ASSERT_TRUE(InitCluster(options, kNow).ok());

  EXPECT_EQ(LoadCoordinatorFiles(options.dir)->digest_key, std::string(32, 'k'));
}

TEST(Init, TheFirstAdminIsWrittenDownBesideItsIdentity) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const auto pair = LoadCredentials(options.dir + "/admin", "admin");
  EXPECT_EQ(*ReadSmallFile(FirstAdminPath(options.dir)), pair->certificate);
  ASSERT_TRUE(std::filesystem::remove(FirstAdminPath(options.dir)));

  ASSERT_TRUE(InitCluster(options, kNow).ok());

  // What was there may be in the hands of somebody who was removed.
  const auto anew = LoadCredentials(options.dir + "/admin", "admin");
  EXPECT_NE(anew->certificate, pair->certificate);
  EXPECT_EQ(*ReadSmallFile(FirstAdminPath(options.dir)), anew->certificate);
}

TEST(Init, RefusesAnotherClustersDirectory) {
  const TemporaryDirectory dir;
  InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  options.cluster = "other";

  EXPECT_EQ(InitCluster(options, kNow).status(),
            absl::FailedPreconditionError(options.dir +
                                          " already holds the cluster \"analytics\", not "
                                          "\"other\"; fix: leave --cluster out, or choose another "
                                          "--dir"));
}

TEST(Init, AsksForWhatItNeeds) {
  const TemporaryDirectory dir;
  InitOptions options = Options(dir);
  options.cluster = "";
  EXPECT_EQ(InitCluster(options, kNow).status().message(),
            "the cluster has no name yet; fix: connect-ha init --cluster NAME");
  options = Options(dir);
  options.dir = dir / "elsewhere";
  options.address = "";
  EXPECT_EQ(InitCluster(options, kNow).status().message(),
            "no address that nodes can reach the coordinator at; fix: connect-ha init --address "
            "HOST:PORT");
}

TEST(Init, LeavesAnEditedSpecAlone) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(MakeDirectories(dir / "etc", 0755).ok());
  ASSERT_TRUE(WriteSmallFile(options.spec, "cluster: analytics # mine\n", 0644).ok());

  ASSERT_TRUE(InitCluster(options, kNow).ok());

  EXPECT_EQ(*ReadSmallFile(options.spec), "cluster: analytics # mine\n");
}

// Killed for real, at many different moments of a run, and again in the run after it.
TEST(Init, KilledAnywhereAndRunAgainEndsRight) {
  constexpr int kKills = 16;
  const auto begun = std::chrono::steady_clock::now();
  const TemporaryDirectory undisturbed;
  ASSERT_TRUE(InitCluster(Options(undisturbed), kNow).ok());
  const auto span = std::chrono::steady_clock::now() - begun;
  for (int i = 0; i < kKills; ++i) {
    const auto delay = span * i / kKills;
    const TemporaryDirectory dir;
    const InitOptions options = Options(dir);
    const pid_t child = fork();
    if (child == 0) {
      const auto result = InitCluster(options, kNow);
      _exit(result.ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(delay);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    const auto certificate = ReadSmallFile(options.dir + "/ca/ca.crt");

    const auto result = InitCluster(options, kNow);

    ASSERT_TRUE(result.ok()) << "kill " << i << ": " << result.status();
    ExpectComplete(options);
    if (certificate.ok()) {
      EXPECT_EQ(*ReadSmallFile(options.dir + "/ca/ca.crt"), *certificate);
    }
  }
}

TEST(CoordinatorCertificate, IsRenewedAtHalfLifeForTheSameKeyAndHosts) {
  const TemporaryDirectory dir;
  const InitOptions options = Options(dir);
  ASSERT_TRUE(InitCluster(options, kNow).ok());
  const auto authority = LoadAuthority(options.dir);
  const auto before = LoadCoordinatorFiles(options.dir);

  const auto early =
      RenewCoordinatorCertificate(options.dir, *authority, kNow + std::chrono::hours(11 * 24));
  const auto due =
      RenewCoordinatorCertificate(options.dir, *authority, kNow + std::chrono::hours(19 * 24));

  EXPECT_FALSE(*early);
  EXPECT_TRUE(*due);
  const auto after = LoadCoordinatorFiles(options.dir);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->key, before->key);
  EXPECT_EQ(ParseCertificate(after->certificate)->hosts,
            ParseCertificate(before->certificate)->hosts);
  EXPECT_EQ(ParseCertificate(after->certificate)->not_after,
            kNow + std::chrono::hours((19 + 30) * 24));
}

// The example with every line that shows a key made one.
std::string Uncommented(const std::string& example) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(example, '\n')) {
    const bool key = line.size() > 2 && line[0] == '#' && (line[1] != ' ' || line[2] == ' ');
    absl::StrAppend(&text, key ? line.substr(1) : line, "\n");
  }
  return text;
}

TEST(ExampleSpec, LoadsAsItIsAndWithEverythingInIt) {
  const std::string example = ExampleSpec("analytics");
  for (const std::string& text : {example, Uncommented(example)}) {
    v1::ClusterSpec spec;
    EXPECT_EQ(FormatProblems(ParseYaml(text, "cluster.yaml", spec)), "");
    EXPECT_EQ(FormatProblems(ValidateClusterSpec(spec, "cluster.yaml")), "");
    EXPECT_EQ(FormatProblems(CheckRules(spec, "cluster.yaml")), "");
    EXPECT_EQ(spec.cluster(), "analytics");
    EXPECT_TRUE(spec.prove().storage() && spec.prove().database());
    EXPECT_EQ(spec.has_database(), text != example);
  }
}

TEST(ExampleSpec, ShowsEveryKeyOfTheInstallation) {
  const std::string example = ExampleSpec("analytics");
  for (const google::protobuf::Descriptor* message :
       {v1::ConnectSpec::descriptor(), v1::LicenseSpec::descriptor(), v1::Artifact::descriptor(),
        v1::RuntimesSpec::descriptor(), v1::SecretSpec::descriptor(),
        v1::DownloadsSpec::descriptor(), v1::NodesSpec::descriptor(),
        v1::LoadBalancerSpec::descriptor(), v1::RolloutSpec::descriptor(),
        v1::BackupSpec::descriptor(), v1::RuleSpec::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      const std::string key = message->field(i)->name() + ":";
      EXPECT_NE(example.find(key), std::string::npos) << message->name() << " " << key;
    }
  }
}

TEST(CoordinatorFiles, ThatAreMissingSayWhatToType) {
  EXPECT_EQ(LoadCoordinatorFiles("/nonexistent/connect-ha").status().message(),
            "no cluster in /nonexistent/connect-ha (cannot read "
            "/nonexistent/connect-ha/tls/coordinator.crt: No such file or directory); fix: "
            "connect-ha init --dir /nonexistent/connect-ha --cluster NAME --address HOST:PORT");
}

}  // namespace
}  // namespace connect_ha
