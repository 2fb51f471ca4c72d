#include "agent/probes/installed/integrity/path_filters.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

TEST(PathFilters, AreReadAsDpkgReadsThem) {
  const auto filters = ParsePathFilters(R"(# path-exclude=/a
 path-exclude=/not/at/the/beginning
no-debsig
log /var/log/dpkg.log
path-exclude=/usr/share/man/*
path-include /usr/share/man/man8/*
path-exclude = "/opt/a b/*"
path-exclude
path-excluded=/c
)");
  ASSERT_EQ(filters.size(), 3u);
  EXPECT_EQ(filters[0].pattern, "/usr/share/man/*");
  EXPECT_FALSE(filters[0].include);
  EXPECT_EQ(filters[1].pattern, "/usr/share/man/man8/*");
  EXPECT_TRUE(filters[1].include);
  EXPECT_EQ(filters[2].pattern, "/opt/a b/*");
}

TEST(PathFilters, AStarMatchesSlashesAndTheLastMatchDecides) {
  const std::vector<PathFilter> filters = {{"/usr/share/doc/*", false},
                                           {"/usr/share/doc/*/copyright", true},
                                           {"/usr/share/doc/secret/*", false},
                                           {"/opt/[ab]?.txt", false}};
  EXPECT_TRUE(Excludes(filters, "/usr/share/doc/tool/examples/one.gz"));
  EXPECT_FALSE(Excludes(filters, "/usr/share/doc/tool/copyright"));
  EXPECT_TRUE(Excludes(filters, "/usr/share/doc/secret/copyright"));
  EXPECT_TRUE(Excludes(filters, "/opt/b1.txt"));
  EXPECT_FALSE(Excludes(filters, "/opt/c1.txt"));
  EXPECT_FALSE(Excludes(filters, "/usr/share/docs"));
}

TEST(PathFilters, TheDirectorysFilesComeFirstAndInOrder) {
  ProbeBench bench;
  bench.host->SetFile("/etc/dpkg/dpkg.cfg", "path-include=/fourth");
  bench.host->SetFile("/etc/dpkg/dpkg.cfg.d/10_b", "path-exclude=/second\npath-exclude=/third");
  bench.host->SetFile("/etc/dpkg/dpkg.cfg.d/05-a", "path-exclude=/first");
  bench.host->SetFile("/etc/dpkg/dpkg.cfg.d/off.disabled", "path-exclude=/never");
  const auto filters = ReadPathFilters(*bench.host);
  ASSERT_TRUE(filters.ok());
  std::string patterns;
  for (const PathFilter& filter : *filters) patterns += filter.pattern;
  EXPECT_EQ(patterns, "/first/second/third/fourth");
}

TEST(PathFilters, OfAnUnreadableFileAreNotKnown) {
  ProbeBench bench;
  bench.host->SetFile("/etc/dpkg/dpkg.cfg.d/a", "path-exclude=/a");
  bench.host->SetError("/etc/dpkg/dpkg.cfg.d/a", absl::PermissionDeniedError("permission denied"));
  EXPECT_EQ(ReadPathFilters(*bench.host).status().message(), "permission denied");
}

}  // namespace
}  // namespace connect_ha
