// A package by its address: for this node's release, or another's.
#include "agent/resources/install/package_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

constexpr char kUbuntu[] = "ID=ubuntu\nVERSION_ID=\"22.04\"\n";
constexpr char kDebian[] = "ID=debian\nVERSION_ID=\"12\"\n";

// What a node with this os-release says to an R at https://example.com/PATH.
std::string Said(const std::string& os_release, const std::string& path) {
  BareNode node;
  node.host.SetFile("/etc/os-release", os_release);
  v1::Assignment assignment;
  assignment.set_state(v1::PREPARING);
  assignment.mutable_desired()->set_generation(1);
  v1::ClusterSpec& spec = *assignment.mutable_desired()->mutable_spec();
  spec.set_enforcement(v1::ENFORCE);
  v1::AccountSpec& account = (*spec.mutable_accounts())["rstudio-connect"];
  account.set_uid(999);
  account.set_gid(999);
  v1::RuntimeSpec& r = *spec.mutable_runtimes()->add_r();
  r.set_version("4.3.3");
  FakeDeb deb{"r-4.3.3", "1"};
  deb.files = {{"/opt/R/4.3.3/bin/R", "R 4.3.3"}};
  *r.mutable_package() = node.Publish(path, deb);
  node.SetTrial(v1::R, "4.3.3", {0, false, "smoke 42\n"});
  Agent agent(node);
  TestWatch watch(node.host);
  agent.converge.Turn(assignment, watch);
  const v1::Convergence& last = watch.last();
  if (last.troubles_size() == 0) return v1::Convergence::State_Name(last.state());
  EXPECT_EQ(node.InstallsOf(r.package().sha256()), 0);
  return absl::StrCat(last.troubles(0).error(), " [", last.troubles(0).fix(), "]");
}

TEST(PackageFields, ASizeThatNoDiskHasStaysOne) {
  EXPECT_EQ(ParsePackageFields("Installed-Size: 3\n").installed_bytes, 3072u);
  EXPECT_GT(ParsePackageFields("Installed-Size: 18014398509481985\n").installed_bytes,
            uint64_t{1} << 50);
}

TEST(ReleaseOfAnAddress, OfThisNodeIsInstalled) {
  EXPECT_EQ(Said(kUbuntu, "r/ubuntu-2204/pkgs/r-4.3.3_1_amd64.deb"), "CONVERGED");
  EXPECT_EQ(Said(kDebian, "r/debian-12/pkgs/r-4.3.3_1_amd64.deb"), "CONVERGED");
  EXPECT_EQ(Said(kUbuntu, "mirror/ubuntu-22/r.deb"), "CONVERGED");
}

TEST(ReleaseOfAnAddress, OfAnotherIsRefusedWithWhatToTakeInstead) {
  EXPECT_EQ(Said(kUbuntu, "r/ubuntu-2004/pkgs/r-4.3.3_1_amd64.deb"),
            "https://example.com/r/ubuntu-2004/pkgs/r-4.3.3_1_amd64.deb is built for ubuntu-2004; "
            "this node is ubuntu-2204 [in the specification: url: "
            "https://example.com/r/ubuntu-2204/pkgs/r-4.3.3_1_amd64.deb and its sha256]");
  EXPECT_EQ(Said(kDebian, "python/ubuntu-2204/pkgs/r.deb"),
            "https://example.com/python/ubuntu-2204/pkgs/r.deb is built for ubuntu-2204; this node "
            "is debian-12 [in the specification: url: "
            "https://example.com/python/debian-12/pkgs/r.deb and its sha256]");
  EXPECT_EQ(Said(kUbuntu, "r/rhel-9/r.deb"),
            "https://example.com/r/rhel-9/r.deb is built for rhel-9; this node is ubuntu-2204 [in "
            "the specification: url: https://example.com/r/ubuntu-2204/r.deb and its sha256]");
}

TEST(ReleaseOfAnAddress, IsLookedForInItsPathAlone) {
  EXPECT_EQ(Said(kUbuntu, "r/pkgs/r-4.3.3_1_amd64.deb"), "CONVERGED");
  EXPECT_EQ(Said(kUbuntu, "r/debian-tools/r-43/r.deb"), "CONVERGED");
  EXPECT_EQ(Said(kUbuntu, "r.deb?from=/debian-12/"), "CONVERGED");
  EXPECT_EQ(Said(kUbuntu, "debian-12/copies/ubuntu-2204/r.deb"), "CONVERGED");
}

TEST(ReleaseOfAnAddress, DoesNotCountOnASystemThatPositDoesNotBuildFor) {
  EXPECT_EQ(Said("ID=linuxmint\nVERSION_ID=\"21.3\"\n", "r/ubuntu-2204/r.deb"), "CONVERGED");
  EXPECT_EQ(Said("ID=debian\n", "r/debian-12/r.deb"), "CONVERGED");
}

}  // namespace
}  // namespace connect_ha
