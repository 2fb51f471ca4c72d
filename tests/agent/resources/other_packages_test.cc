#include "agent/resources/install/other_packages.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace connect_ha {
namespace {

// As apt-get -s of 2.6 prints it.
constexpr char kOutput[] = R"(NOTE: This is only a simulation!
Reading package lists...
The following additional packages will be installed:
  libpq5 libssl3
The following packages will be REMOVED:
  file
The following packages will be DOWNGRADED:
  libicu72
  libxml2
0 upgraded, 1 newly installed, 2 downgraded, 1 to remove and 0 not upgraded.
Remv file [1:5.44-3]
Inst libpq5:amd64 (15.3 Debian:12/stable [amd64])
Inst libssl3 [3.0.9] (3.0.11 Debian-Security:12/stable-security [amd64]) []
Inst libicu72 [72.2] (72.1 Debian:12/stable [amd64])
Inst tzdata [2024a] (2024b Debian:12/stable [all])
Inst r-4.3.3 [1] (2 local-deb [all])
Conf r-4.3.3 (2 local-deb [all])
)";

OtherPackages Parsed() {
  return ParseSimulation(kOutput, "r-4.3.3",
                         ParseDpkgStatus("Package: tzdata\nStatus: hold ok installed\n"
                                         "Architecture: all\nVersion: 2024a\n"));
}

TEST(OtherPackages, AreWhatAptPrintsBesideThePackageItself) {
  const OtherPackages others = Parsed();
  EXPECT_EQ(others.installed, std::vector<std::string>{"libpq5 15.3"});
  EXPECT_EQ(others.upgraded, std::vector<std::string>{"libssl3 3.0.9 to 3.0.11"});
  EXPECT_EQ(others.removed, std::vector<std::string>{"file 1:5.44-3"});
  EXPECT_EQ(others.downgraded, std::vector<std::string>{"libicu72 72.2 to 72.1"});
  EXPECT_EQ(others.on_hold, std::vector<std::string>{"tzdata"});
}

TEST(OtherPackages, ThatGoOrGoBackOrAreOnHoldAreNotTouched) {
  OtherPackages others = Parsed();
  EXPECT_TRUE(absl::StrContains(CheckOthers(others, "r-4.3.3").message(),
                                "to install r-4.3.3 apt would remove file 1:5.44-3, which"));
  others.removed.clear();
  EXPECT_TRUE(absl::StrContains(CheckOthers(others, "r-4.3.3").message(),
                                "would put back libicu72 72.2 to 72.1, which"));
  others.downgraded.clear();
  EXPECT_TRUE(absl::StrContains(CheckOthers(others, "r-4.3.3").message(),
                                "fix: apt-mark unhold tzdata, if they may change"));
  others.on_hold.clear();
  EXPECT_TRUE(CheckOthers(others, "r-4.3.3").ok());
  EXPECT_EQ(DescribeOthers(others), ", with libpq5 15.3, and libssl3 3.0.9 to 3.0.11");
}

TEST(OtherPackages, AreManyAndFewAreNamed) {
  OtherPackages others;
  others.installed = {"a 1", "b 1", "c 1", "d 1", "e 1", "f 1", "g 1"};
  EXPECT_EQ(DescribeOthers(others), ", with a 1, b 1, c 1, d 1, e 1 and 2 more");
}

}  // namespace
}  // namespace connect_ha
