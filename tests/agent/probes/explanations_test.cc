// Changed and missing files of a package: damage, or what the language's own tools did.
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "agent/probes/installed/dpkg.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kSite[] = "/opt/python/3.10.14/lib/python3.10/site-packages";
constexpr char kHome[] = "/opt/R/4.2.1/lib/R";

class ExplanationsTest : public testing::Test {
 protected:
  ExplanationsTest() {
    package_.set_name("tool");
    bench_.host->SetFile("/var/lib/dpkg/status", "Package: tool\nStatus: install ok installed\n");
  }

  // The package ships it and it is there.
  void Ship(const std::string& path, const std::string& content) {
    bench_.host->SetFile(path, content);
    sums_ += *bench_.host->HashFile(path, "md5") + "  " + path.substr(1) + "\n";
    bench_.host->SetFile("/var/lib/dpkg/info/tool.md5sums", sums_);
  }
  void ShipSite(const std::string& path, const std::string& content) {
    Ship(std::string(kSite) + "/" + path, content);
  }
  void Write(const std::string& path, const std::string& content) {
    bench_.host->SetFile(path, content);
  }
  void WriteSite(const std::string& path, const std::string& content) {
    Write(std::string(kSite) + "/" + path, content);
  }
  void EraseSite(const std::string& path) { bench_.host->Erase(std::string(kSite) + "/" + path); }

  // A line of a RECORD, of a file in site-packages as it is now.
  std::string Listed(const std::string& path) {
    const std::string sha256 = *bench_.host->HashFile(std::string(kSite) + "/" + path, "sha256");
    std::string base64 = absl::WebSafeBase64Escape(absl::HexStringToBytes(sha256));
    while (base64.back() == '=') base64.pop_back();
    return path + ",sha256=" + base64 + ",1\n";
  }

  // "changed/missing/explained".
  std::string Verified() {
    const auto integrity =
        VerifyPackage(*bench_.host, bench_.cache, package_,
                      std::chrono::steady_clock::now() + std::chrono::minutes(1));
    if (!integrity.ok()) return std::string(integrity.status().message());
    const v1::Integrity& files = **integrity;
    EXPECT_EQ(static_cast<uint32_t>(files.examples_size()),
              files.files_changed() + files.files_missing());
    return std::to_string(files.files_changed()) + "/" + std::to_string(files.files_missing()) +
           "/" + std::to_string(files.files_explained());
  }

  // pip 21.1 and setuptools 56.0.0 as shipped.
  void ShipPython() {
    Ship("/opt/python/3.10.14/lib/python3.10/os.py", "import sys");
    ShipSite("pip/__init__.py", "21.1");
    ShipSite("pip/_old.py", "gone in later versions");
    ShipSite("pip/__pycache__/__init__.cpython-310.pyc", "compiled 21.1");
    ShipSite("pip-21.1.dist-info/METADATA", "Name: pip\nVersion: 21.1\n");
    ShipSite("pip-21.1.dist-info/RECORD",
             Listed("pip/__init__.py") + Listed("pip/_old.py") + "pip-21.1.dist-info/RECORD,,\n");
    ShipSite("setuptools/__init__.py", "56");
    ShipSite("pkg_resources/__init__.py", "56");
    ShipSite("setuptools-56.0.0.dist-info/RECORD", Listed("setuptools/__init__.py") +
                                                       Listed("pkg_resources/__init__.py") +
                                                       "setuptools-56.0.0.dist-info/RECORD,,\n");
    Ship("/opt/python/3.10.14/bin/pip3", "#!python 21.1");
  }
  // As `python -m pip install --upgrade pip` leaves it: three shipped files changed, three gone.
  void UpgradePip() {
    EraseSite("pip-21.1.dist-info");
    EraseSite("pip/_old.py");
    WriteSite("pip/__init__.py", "22.3");
    WriteSite("pip/__pycache__/__init__.cpython-310.pyc", "compiled 22.3");
    WriteSite("pip-22.3.dist-info/METADATA", "Name: pip\nVersion: 22.3\n");
    Write("/opt/python/3.10.14/bin/pip3", "#!python 22.3");
    WriteSite("pip-22.3.dist-info/RECORD",
              Listed("../../../bin/pip3") + Listed("pip/__init__.py") +
                  "pip/__pycache__/__init__.cpython-310.pyc,,\n" +
                  "pip-22.3.dist-info/METADATA,,\npip-22.3.dist-info/RECORD,,\n");
  }
  void ShipR() {
    Ship(std::string(kHome) + "/etc/Makeconf", "CC = gcc");
    Ship(std::string(kHome) + "/etc/ldpaths", ": ${R_JAVA_LD_LIBRARY_PATH=}");
    Ship(std::string(kHome) + "/etc/Renviron", "R_PLATFORM=x");
    Ship(std::string(kHome) + "/library/MASS/DESCRIPTION", "Package: MASS\nVersion: 7.3-57\n");
    Ship(std::string(kHome) + "/library/MASS/R/MASS.rdb", "code of 7.3-57");
    Ship(std::string(kHome) + "/library/stats/DESCRIPTION", "Package: stats\nVersion: 4.2.1\n");
    Ship(std::string(kHome) + "/library/stats/R/stats.rdb", "code of 4.2.1");
  }

  ProbeBench bench_;
  v1::Package package_;
  std::string sums_;
};

TEST_F(ExplanationsTest, AnUpgradedPipIsNoDamage) {
  ShipPython();
  EXPECT_EQ(Verified(), "0/0/0");
  UpgradePip();
  EXPECT_EQ(Verified(), "0/0/6");
}

TEST_F(ExplanationsTest, AnUpgradeWithoutARecordIsToldByItsMetadata) {
  ShipPython();
  UpgradePip();
  EraseSite("pip-22.3.dist-info/RECORD");
  EXPECT_EQ(Verified(), "0/0/6");
  EraseSite("pip-22.3.dist-info/METADATA");
  EXPECT_EQ(Verified(), "3/3/0");
}

TEST_F(ExplanationsTest, WhatAnUpgradeDidNotWriteIsDamage) {
  ShipPython();
  UpgradePip();
  WriteSite("pip/__init__.py", "22");                          // cut off after the upgrade
  WriteSite("setuptools/__init__.py", "5");                    // of a distribution as shipped
  EraseSite("pkg_resources/__init__.py");                      // likewise
  Write("/opt/python/3.10.14/lib/python3.10/os.py", "impor");  // the standard library
  EXPECT_EQ(Verified(), "3/1/5");
}

TEST_F(ExplanationsTest, WithoutAnUpgradeChangesAreDamage) {
  ShipPython();
  WriteSite("pip/__init__.py", "");
  EraseSite("pip/_old.py");
  EXPECT_EQ(Verified(), "1/1/0");
  WriteSite("pip-21.1.dist-info/RECORD", Listed("pip/__init__.py"));  // cut off: is not in it
  EXPECT_EQ(Verified(), "2/1/0");
}

TEST_F(ExplanationsTest, AReinstalledVersionIsToldByItsRecord) {
  ShipPython();
  WriteSite("pip/__init__.py", "21.1, patched");
  WriteSite("pip-21.1.dist-info/RECORD",
            Listed("pip/__init__.py") + Listed("pip/_old.py") + "pip-21.1.dist-info/RECORD,,\n");
  EXPECT_EQ(Verified(), "0/0/2");
}

TEST_F(ExplanationsTest, SetuptoolsTakesItsOtherModulesAlong) {
  ShipPython();
  EraseSite("setuptools-56.0.0.dist-info");
  EraseSite("pkg_resources");  // setuptools of today is without it
  WriteSite("setuptools/__init__.py", "82");
  WriteSite("setuptools-82.0.1.dist-info/RECORD",
            Listed("setuptools/__init__.py") + "setuptools-82.0.1.dist-info/RECORD,,\n");
  EXPECT_EQ(Verified(), "0/0/3");
}

TEST_F(ExplanationsTest, ARemovedSitePackagesIsDamage) {
  ShipPython();
  bench_.host->Erase(kSite);
  EXPECT_EQ(Verified(), "0/8/0");
}

TEST_F(ExplanationsTest, AnEggInfoCountsToo) {
  const std::string site = "/usr/lib/python3/dist-packages";
  Ship(site + "/wheel/__init__.py", "0.34");
  Ship(site + "/wheel-0.34.2.egg-info/PKG-INFO", "Name: wheel");
  bench_.host->Erase(site + "/wheel-0.34.2.egg-info");
  Write(site + "/wheel/__init__.py", "0.43");
  EXPECT_EQ(Verified(), "1/1/0");
  Write(site + "/wheel-0.43.0.dist-info/METADATA", "Name: wheel");
  EXPECT_EQ(Verified(), "0/0/2");
}

TEST_F(ExplanationsTest, JavareconfRewritesItsFilesAndNoOther) {
  ShipR();
  Write(std::string(kHome) + "/etc/Makeconf", "CC = gcc\nJAVA = /usr/bin/java");
  Write(std::string(kHome) + "/etc/ldpaths", "R_JAVA_LD_LIBRARY_PATH=/usr/lib/jvm/lib");
  EXPECT_EQ(Verified(), "0/0/2");
  Write(std::string(kHome) + "/etc/Makeconf", "");
  bench_.host->Erase(std::string(kHome) + "/etc/ldpaths");
  Write(std::string(kHome) + "/etc/Renviron", "R_PLATFORM=y");
  EXPECT_EQ(Verified(), "2/1/0");
}

TEST_F(ExplanationsTest, InstallPackagesReplacesARecommendedPackage) {
  ShipR();
  Write(std::string(kHome) + "/library/MASS/DESCRIPTION", "Package: MASS\nVersion: 7.3-60\n");
  bench_.host->Erase(std::string(kHome) + "/library/MASS/R/MASS.rdb");
  EXPECT_EQ(Verified(), "0/0/2");
  Write(std::string(kHome) + "/library/MASS/DESCRIPTION", "Package: MA");
  EXPECT_EQ(Verified(), "1/1/0");
}

TEST_F(ExplanationsTest, DamageInRsLibraryIsDamage) {
  ShipR();
  Write(std::string(kHome) + "/library/MASS/R/MASS.rdb", "code of");
  // R's own packages are of R's version.
  Write(std::string(kHome) + "/library/stats/DESCRIPTION", "Package: stats\nVersion: 4.2.2\n");
  Write(std::string(kHome) + "/library/stats/R/stats.rdb", "code of 4.2.2");
  EXPECT_EQ(Verified(), "3/0/0");
}

TEST_F(ExplanationsTest, WhatDpkgWasToldToLeaveOutIsNotMissing) {
  Ship("/usr/share/doc/tool/README", "read");
  Ship("/usr/share/doc/tool/copyright", "all");
  Ship("/usr/share/man/man1/tool.1.gz", "man");
  bench_.host->Erase("/usr/share/doc/tool");
  bench_.host->Erase("/usr/share/man/man1/tool.1.gz");
  EXPECT_EQ(Verified(), "0/3/0");
  Write("/etc/dpkg/dpkg.cfg.d/01_nodoc",
        "path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n");
  EXPECT_EQ(Verified(), "0/2/1");
  bench_.host->SetError("/etc/dpkg/dpkg.cfg", absl::UnavailableError("input/output error"));
  EXPECT_EQ(Verified(), "input/output error");
}

}  // namespace
}  // namespace connect_ha
