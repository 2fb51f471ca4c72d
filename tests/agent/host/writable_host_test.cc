// What a machine promises about changes of its files: LinuxHost in a directory of its own, and
// FakeHost, keep the same.
#include "agent/host/writable_host.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "agent/host/linux_host.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using Kind = FileStatus::Kind;
using Names = std::vector<std::string>;

class Machine {
 public:
  virtual ~Machine() = default;
  virtual WritableHost& host() = 0;
  // An empty directory.
  virtual std::string root() = 0;
  virtual void Link(const std::string& path, const std::string& target) = 0;
};

class RealMachine : public Machine {
 public:
  WritableHost& host() override { return host_; }
  std::string root() override { return directory_.path(); }
  void Link(const std::string& path, const std::string& target) override {
    std::filesystem::create_symlink(target, path);
  }

 private:
  LinuxHost host_;
  TemporaryDirectory directory_;
};

class FakeMachine : public Machine {
 public:
  FakeMachine() { host_.SetDirectory(root()); }
  WritableHost& host() override { return host_; }
  std::string root() override { return "/tmp/fake"; }
  void Link(const std::string& path, const std::string& target) override {
    host_.SetLink(path, target);
  }

 private:
  FakeHost host_;
};

class WritableHostTest : public testing::TestWithParam<const char*> {
 protected:
  WritableHostTest() {
    if (GetParam() == std::string("linux")) {
      machine_ = std::make_unique<RealMachine>();
    } else {
      machine_ = std::make_unique<FakeMachine>();
    }
  }
  std::string At(const std::string& name) { return machine_->root() + "/" + name; }
  WritableHost& host() { return machine_->host(); }
  absl::StatusCode Write(const std::string& name, const std::string& content) {
    return host().WriteFile(At(name), content, Owned(0644)).code();
  }
  // Only root can give files away.
  static FileAttributes Owned(uint32_t mode) {
    FileAttributes attributes;
    attributes.mode = mode;
    attributes.uid = geteuid() == 0 ? 1234 : geteuid();
    attributes.gid = geteuid() == 0 ? 4321 : getegid();
    return attributes;
  }
  void ExpectOwned(const std::string& name, uint32_t mode) {
    const auto status = host().LStat(At(name));
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_EQ(status->mode, mode);
    EXPECT_EQ(status->uid, Owned(mode).uid);
    EXPECT_EQ(status->gid, Owned(mode).gid);
  }
  Names List(const std::string& name) { return *host().ListDirectory(At(name)); }

  std::unique_ptr<Machine> machine_;
};

TEST_P(WritableHostTest, WritesAFileWithItsOwnerAndMode) {
  ASSERT_TRUE(host().WriteFile(At("a"), "content", Owned(0640)).ok());
  EXPECT_EQ(*host().ReadFile(At("a")), "content");
  ExpectOwned("a", 0640);
  EXPECT_EQ(List(""), Names{"a"});
}

TEST_P(WritableHostTest, ReplacesAFileAndItsMode) {
  ASSERT_TRUE(host().WriteFile(At("a"), "old", Owned(0644)).ok());
  ASSERT_TRUE(host().WriteFile(At("a"), "", Owned(0600)).ok());
  EXPECT_EQ(*host().ReadFile(At("a")), "");
  ExpectOwned("a", 0600);
  EXPECT_EQ(List(""), Names{"a"});
}

TEST_P(WritableHostTest, WritesInPlaceOfALinkAndNotThroughIt) {
  Write("target", "untouched");
  machine_->Link(At("link"), "target");
  ASSERT_TRUE(host().WriteFile(At("link"), "new", Owned(0600)).ok());
  EXPECT_EQ(host().LStat(At("link"))->kind, Kind::kFile);
  EXPECT_EQ(*host().ReadFile(At("target")), "untouched");
}

TEST_P(WritableHostTest, WritesThroughALinkedDirectory) {
  ASSERT_TRUE(host().MakeDirectory(At("real")).ok());
  machine_->Link(At("link"), "real");
  EXPECT_EQ(Write("link/a", "content"), absl::StatusCode::kOk);
  EXPECT_EQ(*host().ReadFile(At("real/a")), "content");
}

TEST_P(WritableHostTest, TellsWhyAFileCannotBeWritten) {
  ASSERT_TRUE(host().MakeDirectory(At("directory")).ok());
  EXPECT_EQ(Write("none/a", ""), absl::StatusCode::kNotFound);
  EXPECT_EQ(Write("directory", ""), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Write("directory/../a", ""), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(host().WriteFile("a", "", {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(host().WriteFile("/", "", {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(List(""), Names{"directory"});
}

TEST_P(WritableHostTest, SetsOwnerAndModeOfFilesAndDirectories) {
  Write("a", "content");
  ASSERT_TRUE(host().MakeDirectory(At("d")).ok());
  EXPECT_TRUE(host().SetAttributes(At("a"), Owned(0600)).ok());
  EXPECT_TRUE(host().SetAttributes(At("d"), Owned(0700)).ok());
  ExpectOwned("a", 0600);
  ExpectOwned("d", 0700);
}

TEST_P(WritableHostTest, SetsNothingThroughALink) {
  Write("a", "content");
  machine_->Link(At("link"), "a");
  EXPECT_EQ(host().SetAttributes(At("link"), Owned(0600)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(host().SetAttributes(At("none"), Owned(0600)).code(), absl::StatusCode::kNotFound);
  ExpectOwned("a", 0644);
}

TEST_P(WritableHostTest, MakesADirectoryWithThoseAboveIt) {
  ASSERT_TRUE(host().MakeDirectory(At("a/b/c")).ok());
  for (const char* made : {"a", "a/b", "a/b/c"}) {
    EXPECT_EQ(host().LStat(At(made))->kind, Kind::kDirectory);
    EXPECT_EQ(host().LStat(At(made))->mode, 0755u);
    EXPECT_EQ(List(made).size(), made == std::string("a/b/c") ? 0u : 1u);
  }
}

TEST_P(WritableHostTest, LeavesADirectoryThatIsThereAsItIs) {
  ASSERT_TRUE(host().MakeDirectory(At("a")).ok());
  ASSERT_TRUE(host().SetAttributes(At("a"), Owned(0700)).ok());
  EXPECT_TRUE(host().MakeDirectory(At("a")).ok());
  ExpectOwned("a", 0700);
}

TEST_P(WritableHostTest, MakesNoDirectoryWhereSomethingElseIs) {
  Write("file", "");
  machine_->Link(At("lost"), "nowhere");
  for (const char* name : {"file", "file/a", "lost", "lost/a"}) {
    EXPECT_EQ(host().MakeDirectory(At(name)).code(), absl::StatusCode::kFailedPrecondition) << name;
  }
  EXPECT_EQ(List(""), (Names{"file", "lost"}));
}

TEST_P(WritableHostTest, RenamesATree) {
  ASSERT_TRUE(host().MakeDirectory(At("from/inner")).ok());
  Write("from/inner/a", "content");
  ASSERT_TRUE(host().MakeDirectory(At("other")).ok());
  ASSERT_TRUE(host().Rename(At("from"), At("other/to")).ok());
  EXPECT_EQ(*host().ReadFile(At("other/to/inner/a")), "content");
  EXPECT_EQ(List(""), Names{"other"});
}

TEST_P(WritableHostTest, RenamesOverNothingThatIsThere) {
  Write("from", "new");
  Write("file", "old");
  ASSERT_TRUE(host().MakeDirectory(At("directory")).ok());
  machine_->Link(At("link"), "nowhere");
  for (const char* name : {"file", "directory", "link", "from"}) {
    EXPECT_EQ(host().Rename(At("from"), At(name)).code(), absl::StatusCode::kAlreadyExists) << name;
  }
  EXPECT_EQ(host().Rename(At("none"), At("to")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(host().Rename(At("from"), At("none/to")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*host().ReadFile(At("file")), "old");
  EXPECT_EQ(*host().ReadFile(At("from")), "new");
}

TEST_P(WritableHostTest, RemovesATreeButNothingThatItsLinksLeadTo) {
  ASSERT_TRUE(host().MakeDirectory(At("kept")).ok());
  Write("kept/a", "content");
  ASSERT_TRUE(host().MakeDirectory(At("tree/inner")).ok());
  Write("tree/inner/b", "");
  machine_->Link(At("tree/link"), "../kept");
  EXPECT_TRUE(host().Remove(At("tree")).ok());
  EXPECT_EQ(List(""), Names{"kept"});
  EXPECT_EQ(*host().ReadFile(At("kept/a")), "content");
}

TEST_P(WritableHostTest, RemovesALinkAndNotItsTarget) {
  ASSERT_TRUE(host().MakeDirectory(At("kept/inner")).ok());
  machine_->Link(At("link"), "kept");
  EXPECT_TRUE(host().Remove(At("link")).ok());
  EXPECT_EQ(List(""), Names{"kept"});
  EXPECT_EQ(List("kept"), Names{"inner"});
}

TEST_P(WritableHostTest, RemovingWhatIsNotThereIsDone) {
  EXPECT_TRUE(host().Remove(At("none")).ok());
  EXPECT_TRUE(host().Remove(At("none/none")).ok());
}

TEST_P(WritableHostTest, RemovesNoPathThatCanOnlyBeAMistake) {
  for (const std::string path : {"", "/", "//", "/opt", "/opt/", "opt/R", "/opt/../etc/x"}) {
    EXPECT_EQ(host().Remove(path).code(), absl::StatusCode::kInvalidArgument) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, WritableHostTest, testing::Values("linux", "fake"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace connect_ha
