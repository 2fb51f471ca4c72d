#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "common/address.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "coordinator/identity/authority.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

mode_t Mode(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

CredentialPair NewPair(const Authority& authority) {
  const std::string key = *MakeKey();
  return {key, *authority.Issue({{"analytics", Role::kNode, "node-1"}, {}}, *MakeCsr(key), kNow)};
}

TEST(SmallFile, IsReplacedWholeWithItsMode) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(WriteSmallFile(dir / "secret", "first", 0600).ok());
  ASSERT_TRUE(WriteSmallFile(dir / "secret.tmp", "left by a killed writer", 0666).ok());

  ASSERT_TRUE(WriteSmallFile(dir / "secret", "second", 0600).ok());

  EXPECT_EQ(*ReadSmallFile(dir / "secret"), "second");
  EXPECT_EQ(Mode(dir / "secret"), 0600u);
  EXPECT_FALSE(FileExists(dir / "secret.tmp"));
}

TEST(SmallFile, ThatIsNotThereIsNotFound) {
  const TemporaryDirectory dir;
  const auto content = ReadSmallFile(dir / "none");
  EXPECT_EQ(content.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(content.status().message(),
            "cannot read " + dir.path() + "/none: No such file or directory");
}

TEST(SmallFile, DoesNotFollowALinkOfSomeoneElse) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(WriteSmallFile(dir / "victim", "mine", 0600).ok());
  ASSERT_EQ(symlink((dir / "victim").c_str(), (dir / "secret.tmp").c_str()), 0);

  ASSERT_TRUE(WriteSmallFile(dir / "secret", "new", 0600).ok());

  EXPECT_EQ(*ReadSmallFile(dir / "victim"), "mine");
  EXPECT_EQ(*ReadSmallFile(dir / "secret"), "new");
}

TEST(Directories, AreMadeWithTheirParents) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(MakeDirectories(dir / "a/b/c", 0700).ok());
  ASSERT_TRUE(MakeDirectories(dir / "a/b/c", 0700).ok());
  EXPECT_EQ(Mode(dir / "a/b/c"), 0700u);
  ASSERT_TRUE(WriteSmallFile(dir / "file", "", 0600).ok());
  EXPECT_FALSE(MakeDirectories(dir / "file", 0700).ok());
}

TEST(Credentials, AreSecretAndReadBack) {
  const TemporaryDirectory dir;
  const CredentialPair pair = NewPair(*Authority::Create("analytics", kNow));

  ASSERT_TRUE(StoreCredentials(dir.path(), "node", pair).ok());

  const auto loaded = LoadCredentials(dir.path(), "node");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->key, pair.key);
  EXPECT_EQ(loaded->certificate, pair.certificate);
  EXPECT_EQ(Mode(dir / "node.key"), 0600u);
  EXPECT_EQ(Mode(dir / "node.crt"), 0600u);
}

// Each state that a StoreCredentials which was killed can leave.
TEST(Credentials, AreTheOldOrTheNewOnesWhereverItWasKilled) {
  const Authority authority = *Authority::Create("analytics", kNow);
  const CredentialPair old_pair = NewPair(authority);
  const CredentialPair new_pair = NewPair(authority);
  for (int steps = 0; steps <= 3; ++steps) {
    const TemporaryDirectory dir;
    ASSERT_TRUE(StoreCredentials(dir.path(), "node", old_pair).ok());
    if (steps >= 1) {
      ASSERT_TRUE(WriteSmallFile(dir / "node.key.next", new_pair.key, 0600).ok());
    }
    if (steps >= 2) {
      ASSERT_TRUE(WriteSmallFile(dir / "node.crt", new_pair.certificate, 0600).ok());
    }
    if (steps >= 3) {
      ASSERT_TRUE(RenameFile(dir / "node.key.next", dir / "node.key").ok());
    }

    const auto loaded = LoadCredentials(dir.path(), "node");

    ASSERT_TRUE(loaded.ok()) << steps << ": " << loaded.status();
    EXPECT_EQ(loaded->key, steps < 2 ? old_pair.key : new_pair.key) << steps;
    EXPECT_TRUE(KeyMatches(*ReadSmallFile(dir / "node.key"), loaded->certificate)) << steps;
  }
}

// An agent that waits for its identity looks whenever a file of it appears.
TEST(Credentials, MayBeLoadedWhileAnotherProcessStoresThem) {
  const TemporaryDirectory dir;
  const Authority authority = *Authority::Create("analytics", kNow);
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) static_cast<void>(LoadCredentials(dir.path(), "node"));
  });
  for (int i = 0; i < 50; ++i) {
    const absl::Status stored = StoreCredentials(dir.path(), "node", NewPair(authority));
    EXPECT_TRUE(stored.ok()) << stored;
  }
  stop = true;
  reader.join();
  EXPECT_TRUE(LoadCredentials(dir.path(), "node").ok());
}

TEST(Credentials, ThatDoNotBelongTogetherAreAnError) {
  const TemporaryDirectory dir;
  const Authority authority = *Authority::Create("analytics", kNow);
  ASSERT_TRUE(StoreCredentials(dir.path(), "node", NewPair(authority)).ok());
  ASSERT_TRUE(WriteSmallFile(dir / "node.key", NewPair(authority).key, 0600).ok());

  EXPECT_EQ(LoadCredentials(dir.path(), "node").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadCredentials(dir.path(), "none").status().code(), absl::StatusCode::kNotFound);
}

TEST(Address, NodesJoinAtThePortBehind) {
  EXPECT_EQ(FormatAddress(EnrolmentAddress(*ParseAddress("[::1]:9000"))), "[::1]:9001");
  EXPECT_EQ(FormatAddress(*ParseAddress("ha.example.com", kDefaultEnrolmentPort)),
            "ha.example.com:8444");
}

TEST(Address, IsReadAsPeopleWriteIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"ha.example.com", "ha.example.com:8443"},
      {"ha.example.com:9000", "ha.example.com:9000"},
      {"10.0.0.1:1", "10.0.0.1:1"},
      {"[::1]:9000", "[::1]:9000"},
      {"[::1]", "[::1]:8443"},
      {"2001:db8::1", "[2001:db8::1]:8443"}};
  for (const auto& [text, formatted] : cases) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(FormatAddress(*address), formatted);
  }
  for (const char* text : {"", ":8443", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]x",
                           "https://host", "a b", "host\n"}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
}

}  // namespace
}  // namespace connect_ha
