#include "agent/host/files/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "common/tls/crypto.h"
#include "tests/agent/host/tar_builder.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

std::string Digest(const std::string& content) { return Hex(Sha256(content)); }

// "path mode target|digest" of each, as short as can be compared.
std::vector<std::string> Lines(const std::vector<UnpackedFile>& files) {
  std::vector<std::string> lines;
  for (const UnpackedFile& file : files) {
    char mode[16];
    snprintf(mode, sizeof mode, "%o", file.mode);
    lines.push_back(file.path + " " + mode + " " + (file.link.empty() ? file.sha256 : file.link));
  }
  return lines;
}

class Unpack : public testing::Test {
 protected:
  absl::StatusOr<std::vector<UnpackedFile>> UnpackBytes(const std::string& bytes,
                                                        int strip_components = 0) {
    directory_.Write("archive", bytes);
    request_.archive = directory_ / "archive";
    request_.directory = directory_ / "made";
    request_.strip_components = strip_components;
    return UnpackArchive(request_);
  }
  // Every name below the test's directory.
  std::set<std::string> Left() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      names.insert(entry.path().lexically_relative(directory_.path()).string());
    }
    return names;
  }
  uint32_t ModeOf(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(lstat((directory_ / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryDirectory directory_;
  UnpackRequest request_{"", "", 0, 1024 * 1024, 100};
};

TEST_F(Unpack, MakesWhatTheArchiveHolds) {
  const mode_t mask = umask(077);
  const auto files = UnpackBytes(Tar({{"quarto-1/", '5', "", "", 0700},
                                      {"quarto-1/bin/quarto", '0', "#!/bin/sh", "", 0700},
                                      {"./quarto-1/share//a", '0', "text", "", 01600},
                                      {"quarto-1/empty", '5'},
                                      {"quarto-1/same", '1', "", "quarto-1/share/a"},
                                      {"quarto-1/bin/link", '2', "", "../share/a"}}),
                                 1);
  umask(mask);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Lines(*files), (std::vector<std::string>{
                               "bin/link 777 ../share/a", "bin/quarto 755 " + Digest("#!/bin/sh"),
                               "same 644 " + Digest("text"), "share/a 644 " + Digest("text")}));
  EXPECT_EQ(Left(), (std::set<std::string>{"archive", "made", "made/bin", "made/bin/link",
                                           "made/bin/quarto", "made/empty", "made/same",
                                           "made/share", "made/share/a"}));
  EXPECT_EQ(Read("made/bin/link"), "text");
  EXPECT_EQ(Read("made/same"), "text");
  for (const std::string name : {"made", "made/bin", "made/empty", "made/bin/quarto"}) {
    EXPECT_EQ(ModeOf(name), 0755U) << name;
  }
  EXPECT_EQ(ModeOf("made/share/a"), 0644U);
  struct stat status {};
  ASSERT_EQ(stat((directory_ / "made/share/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, geteuid());
  EXPECT_EQ(status.st_gid, getegid());
}

std::string Compressed(const std::string& bytes, int (*add_filter)(archive*)) {
  std::string packed(bytes.size() + 65'536, '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  add_filter(writer);
  archive_write_set_format_raw(writer);
  archive_write_open_memory(writer, packed.data(), packed.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, bytes.data(), bytes.size());
  archive_entry_free(entry);
  archive_write_free(writer);
  return packed.substr(0, used);
}

TEST_F(Unpack, ReadsTheUsualCompressions) {
  for (const auto add_filter : {archive_write_add_filter_gzip, archive_write_add_filter_bzip2,
                                archive_write_add_filter_xz, archive_write_add_filter_zstd}) {
    const auto files = UnpackBytes(Compressed(Tar({{"a", '0', "text"}}), add_filter));
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(Lines(*files), std::vector<std::string>{"a 644 " + Digest("text")});
    fs::remove_all(directory_ / "made");
  }
}

TEST_F(Unpack, ReadsNamesBeyondAsciiInEveryLocale) {
  const std::string longer(150, 'n');
  const auto files = UnpackBytes(Tar({{"\xc3\xbc", '0', "old"},
                                      Pax({{"path", "d/\xe2\x82\xac"}}),
                                      {"short", '0', "new"},
                                      Pax({{"path", longer}, {"linkpath", "d/\xe2\x82\xac"}}),
                                      {"link", '2', "", "short"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Lines(*files), (std::vector<std::string>{"d/\xe2\x82\xac 644 " + Digest("new"),
                                                     longer + " 777 d/\xe2\x82\xac",
                                                     "\xc3\xbc 644 " + Digest("old")}));
}

TEST_F(Unpack, LeavesOutExtendedAttributes) {
  const auto files = UnpackBytes(
      Tar({Pax({{"SCHILY.xattr.user.mark", "x"}, {"SCHILY.acl.access", "user::rw-"}}), {"a"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(ModeOf("made/a"), 0644U);
}

struct Hostile {
  std::string entry;
  std::vector<TarEntry> archive;
  std::string why;
};

const Hostile kHostile[] = {
    {"/etc/x", {{"/etc/x"}}, "its name will not do: it is absolute"},
    {"../outside", {{"../outside"}}, "its name will not do: it goes up (..)"},
    {"a/../../outside", {{"a/../../outside"}}, "its name will not do: it goes up (..)"},
    {"a/..", {{"a/..", '5'}}, "its name will not do: it goes up (..)"},
    {"a\\nb", {{"a\nb"}}, "its name will not do: it has a control character"},
    {".", {{"."}}, "nothing is left of its name without its first 0 parts"},
    {"setuid", {{"setuid", '0', "", "", 04755}}, "it is setuid or setgid"},
    {"setgid", {{"setgid", '0', "", "", 02755}}, "it is setuid or setgid"},
    {"null", {{"null", '3'}}, "it is neither file, directory nor link"},
    {"disk", {{"disk", '4'}}, "it is neither file, directory nor link"},
    {"pipe", {{"pipe", '6'}}, "it is neither file, directory nor link"},
    {"a", {{"a"}, {"a"}}, "\"a\" is there already, as a file"},
    {"a", {{"a"}, {"a", '5'}}, "\"a\" is there already, as a file"},
    {"a/b", {{"a"}, {"a/b"}}, "\"a\" is there already, as a file"},
    {"a", {{"a/b"}, {"a"}}, "\"a\" is there already, as a directory"},
    // Hard links.
    {"h", {{"h", '1', "", "/etc/passwd"}}, "a hard link whose target will not do: it is absolute"},
    {"h", {{"h", '1', "", "../x"}}, "a hard link whose target will not do: it goes up (..)"},
    {"h", {{"a"}, Pax({{"path", "h"}}), {"x", '1', "bytes", "a"}}, "it has bytes, but is no file"},
    {"h",
     {{"h", '1', "", "later"}, {"later"}},
     "a hard link to \"later\", which is no earlier file"},
    {"h",
     {{"l", '2', "", "x"}, {"h", '1', "", "l"}},
     "a hard link to \"l\", which is no earlier file"},
    // A link, and then a write through it.
    {"l/x", {{"l", '2', "", "d"}, {"d", '5'}, {"l/x"}}, "\"l\" is there already, as a link"},
    {"l", {{"l", '2', "", "../outside"}, {"l"}}, "\"l\" is there already, as a link"},
    {"l", {{"l", '2', "", "d"}, {"l", '5'}}, "\"l\" is there already, as a link"},
    {"l", {{"l", '5'}, {"l", '2', "", "../outside"}}, "\"l\" is there already, as a directory"},
    // Links that leave the directory.
    {"l", {{"l", '2', "", "/etc"}}, "a link whose target will not do: it is absolute"},
    {"l", {{"l", '2', "", "a\x1b"}}, "a link whose target will not do: it has a control character"},
    {"l -> ..", {{"l", '2', "", ".."}}, "a link that leaves the directory"},
    {"d/l -> ../../outside",
     {{"d/l", '2', "", "../../outside"}},
     "a link that leaves the directory"},
    {"l -> d/../../made/x", {{"l", '2', "", "d/../../made/x"}}, "a link that leaves the directory"},
    {"l -> d/e/up/../outside",
     {{"d/e/up", '2', "", "../.."}, {"l", '2', "", "d/e/up/../outside"}},
     "a link that leaves the directory"},
    {"l -> l", {{"l", '2', "", "l"}}, "a link that leads round in a circle"},
    {"a -> b/x",
     {{"a", '2', "", "b/x"}, {"b", '2', "", "a/y"}},
     "a link that leads round in a circle"},
    // Holes.
    {"s",
     {Pax({{"GNU.sparse.size", "1000000"}, {"GNU.sparse.map", "0,4"}}), {"s", '0', "text"}},
     "it is a sparse file"},
};

TEST_F(Unpack, RefusesEveryHostileEntryByName) {
  for (const Hostile& hostile : kHostile) {
    const auto files = UnpackBytes(Tar(hostile.archive));
    EXPECT_EQ(files.status().code(), StatusCode::kFailedPrecondition) << hostile.entry;
    EXPECT_EQ(files.status().message(),
              "cannot unpack " + request_.archive + ": \"" + hostile.entry + "\": " + hostile.why);
    EXPECT_EQ(Left(), std::set<std::string>{"archive"}) << hostile.entry;
  }
}

TEST_F(Unpack, LinksMayLeadAnywhereInside) {
  const auto files = UnpackBytes(Tar({{"d/e/up", '2', "", "../.."},
                                      {"d/x", '2', "", "e/up/d/./e/../y"},
                                      {"d/y"},
                                      {"nowhere", '2', "", "not/there"},
                                      {"dot", '2', "", "."}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(fs::canonical(directory_ / "made/d/x"), fs::canonical(directory_ / "made/d/y"));
}

TEST_F(Unpack, AFileThatIsAllStrippedIsRefused) {
  const auto files = UnpackBytes(Tar({{"top/", '5'}, {"top/a"}, {"readme"}}), 1);
  EXPECT_EQ(files.status().message(),
            "cannot unpack " + request_.archive +
                ": \"readme\": nothing is left of its name without its first 1 parts");
}

TEST_F(Unpack, NamesAreStrippedAfterTheyWereJudged) {
  const auto files = UnpackBytes(Tar({{"../a/b"}}), 2);
  EXPECT_EQ(files.status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(Unpack, AVeryLongNameIsRefused) {
  std::string deep;
  while (deep.size() < 2050) deep += "d/";
  for (const std::string& name : {std::string(256, 'n'), deep}) {
    const auto files = UnpackBytes(Tar({Pax({{"path", name}}), {"short"}}));
    EXPECT_EQ(files.status().code(), StatusCode::kFailedPrecondition) << files.status();
  }
}

TEST_F(Unpack, RefusesMoreBytesThanTheLimit) {
  const std::string half(600 * 1024, '\0');
  const auto files = UnpackBytes(
      Compressed(Tar({{"a", '0', half}, {"b", '0', half}}), archive_write_add_filter_gzip));
  EXPECT_EQ(files.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(files.status().message(), "cannot unpack " + request_.archive +
                                          ": \"b\": the archive is larger than 1048576 bytes, "
                                          "unpacked");
  EXPECT_EQ(Left(), std::set<std::string>{"archive"});
}

TEST_F(Unpack, TheLastByteWithinTheLimitIsTaken) {
  const std::string all(1024 * 1024, 'x');
  const auto files = UnpackBytes(Tar({{"a", '0', all}, {"b", '0', ""}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Lines(*files)[0], "a 644 " + Digest(all));
}

TEST_F(Unpack, RefusesMoreEntriesThanTheLimit) {
  std::vector<TarEntry> many;
  for (int i = 0; i < 101; ++i) many.push_back({"f" + std::to_string(i)});
  EXPECT_EQ(UnpackBytes(Tar(many)).status().code(), StatusCode::kResourceExhausted);
  const std::vector<TarEntry> again(101, {"d", '5'});
  EXPECT_EQ(UnpackBytes(Tar(again)).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(Unpack, DirectoriesThatAreOnlyImpliedCountToo) {
  std::string deep;
  for (int i = 0; i < 101; ++i) deep += "d/";
  const auto files = UnpackBytes(Tar({Pax({{"path", deep + "f"}}), {"short"}}));
  EXPECT_EQ(files.status().code(), StatusCode::kResourceExhausted);
}

TEST_F(Unpack, RefusesHeadersLargerThanAnyNeedBe) {
  const auto files =
      UnpackBytes(Tar({Pax({{"comment", std::string(200'000, 'c')}}), {"a", '0', "text"}}));
  EXPECT_EQ(files.status().code(), StatusCode::kResourceExhausted) << files.status();
}

TEST_F(Unpack, ADirectoryDoesNotKeepItsSetgidBit) {
  const auto files = UnpackBytes(Tar({{"d", '5', "", "", 02755}, {"d/a", '0', "text"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(ModeOf("made/d"), 0755U);
}

// An extended header that libarchive passes over with a warning.
TEST_F(Unpack, AWarningIsNoDamage) {
  const auto files = UnpackBytes(Tar({{"pax", 'x', "junk\n"}, {"a", '0', "text"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Lines(*files), std::vector<std::string>{"a 644 " + Digest("text")});
}

TEST_F(Unpack, ADamagedArchiveLeavesNothing) {
  const std::string good =
      Compressed(Tar({{"a", '0', std::string(Digest("a") + Digest("b"))}, {"b", '0', "text"}}),
                 archive_write_add_filter_gzip);
  std::string other = Tar({{"a", '0', "text"}});
  other[0] = 'b';  // no longer what the header's sum says
  for (const std::string& bytes :
       {good.substr(0, good.size() / 2), other, std::string("PK\003\004 no tar"), std::string(),
        std::string(10'240, '\0'), Tar({{"d", '5'}}),
        Tar({{"a", '0', std::string(4096, 'x')}}).substr(0, 2048)}) {
    const auto files = UnpackBytes(bytes);
    EXPECT_EQ(files.status().code(), StatusCode::kDataLoss) << files.status();
    EXPECT_EQ(Left(), std::set<std::string>{"archive"});
  }
}

TEST_F(Unpack, NoOtherFormatIsRead) {
  // An ar archive, a cpio archive, an mtree specification.
  for (const std::string bytes :
       {"!<arch>\na/              0           0     0     644     4   `\ntext", "070701",
        "#mtree\na type=file contents=/etc/passwd\n"}) {
    EXPECT_EQ(UnpackBytes(bytes).status().code(), StatusCode::kDataLoss);
  }
}

TEST_F(Unpack, NeverUnpacksIntoWhatIsThere) {
  fs::create_directory(directory_ / "made");
  directory_.Write("made/old", "untouched");
  EXPECT_EQ(UnpackBytes(Tar({{"a"}})).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Left(), (std::set<std::string>{"archive", "made", "made/old"}));
  fs::remove_all(directory_ / "made");
  fs::create_directory_symlink("elsewhere", directory_ / "made");
  EXPECT_EQ(UnpackBytes(Tar({{"a"}})).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(Unpack, AnArchiveThatCannotBeReadIsNamed) {
  request_ = {directory_ / "none", directory_ / "made", 0, 10, 10};
  EXPECT_EQ(UnpackArchive(request_).status().code(), StatusCode::kNotFound);
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  request_.archive = directory_ / "pipe";
  EXPECT_EQ(UnpackArchive(request_).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Left(), std::set<std::string>{"pipe"});
}

TEST_F(Unpack, AFullDiskIsNamedAndGivenBack) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const std::string bytes = Tar({{"a", '0', "text"}, {"b", '0', std::string(200'000, 'x')}});
  directory_.Write("archive", bytes);
  request_.archive = directory_ / "archive";
  request_.directory = directory_ / "made";
  signal(SIGXFSZ, SIG_IGN);  // as on a full disk, write() then fails
  const rlimit little{100'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  const auto files = UnpackArchive(request_);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(files.status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(files.status().message().find("\nfix: free space"), std::string::npos)
      << files.status();
  EXPECT_EQ(Left(), std::set<std::string>{"archive"});
}

}  // namespace
}  // namespace connect_ha
