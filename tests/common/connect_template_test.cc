#include "common/spec/connect_template.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/connect/gcfg.h"
#include "tests/common/ask_gcfg_oracle.h"

namespace connect_ha {
namespace {

using Values = std::map<std::string, std::string>;

std::string Rendered(const std::string& text, const Values& values = {}) {
  const auto rendered = RenderConnectConfig(text, values);
  if (!rendered.ok()) return std::string(rendered.status().message());
  // Without the comment at its top.
  return rendered->substr(rendered->find("\n\n") + 2);
}

v1::ClusterSpec SpecWithSecret(const std::string& name) {
  v1::ClusterSpec spec;
  (*spec.mutable_secrets())[name].set_file("/etc/connect-ha/secrets/" + name);
  return spec;
}

std::string Checked(const std::string& text, const v1::ClusterSpec& spec = {}) {
  return FormatProblems(
      CheckConnectTemplate(text + "\n[Database]\nProvider = postgres\n", "c.gcfg", spec));
}

TEST(ConnectTemplateTest, QuotesEveryValueAndKeepsTheOrder) {
  EXPECT_EQ(
      Rendered("; a comment\n[Server]\nAddress = https://c.example.com ; another\n"
               "DataDir=/mnt/connect\n[Python]\nExecutable = /opt/b\nExecutable = /opt/a\n"
               "[RPackageRepository \"a \\\"b\\\" \\\\\"]\nURL =\n[server]\nX = \"a;b#\\n\"\n"),
      "[Server]\nAddress = \"https://c.example.com\"\nDataDir = \"/mnt/connect\"\n\n"
      "[Python]\nExecutable = \"/opt/b\"\nExecutable = \"/opt/a\"\n\n"
      "[RPackageRepository \"a \\\"b\\\" \\\\\"]\nURL = \"\"\n\n"
      "[server]\nX = \"a;b#\\n\"\n");
}

TEST(ConnectTemplateTest, FillsInTheNodeAndItsSecrets) {
  EXPECT_EQ(Rendered("[Metrics]\nDataPath = /m/${node.name}/rrd\n[Postgres]\n"
                     "Password = ${secret.db}\nURL = \"a$${b}${secret.db}${node.name}\"\n",
                     {{"node.name", "node-1"}, {"secret.db", "p\"\\;#\n\tw ${node.name}"}}),
            "[Metrics]\nDataPath = \"/m/node-1/rrd\"\n\n[Postgres]\n"
            "Password = \"p\\\"\\\\;#\\n\\tw ${node.name}\"\n"
            "URL = \"a${b}p\\\"\\\\;#\\n\\tw ${node.name}node-1\"\n");
}

TEST(ConnectTemplateTest, ErrorsNameThePlaceAndNoValue) {
  const Values values = {{"secret.nul", std::string("s3cret\0", 7)}, {"secret.cr", "s3cret\r"}};
  EXPECT_EQ(Rendered("[a]\nx = \"1 ${secret.other}\"\n", values),
            "line 2, column 8: nothing is known to fill in for ${secret.other}");
  EXPECT_EQ(Rendered("[a]\nx = ${secret.nul}\n", values),
            "line 2, column 5: what is to be filled in for ${secret.nul} has a NUL, which "
            "Connect's configuration cannot hold");
  EXPECT_EQ(Rendered("[a]\nx = ${secret.cr}\n", values),
            "line 2, column 5: what is to be filled in for ${secret.cr} has a carriage return, "
            "which Connect's configuration cannot hold");
  EXPECT_EQ(Rendered("[a]\nx = y ${node.name\n", values),
            "line 2, column 7: ${ is not closed with }; write $${ for the characters");
  EXPECT_EQ(Rendered("[a]\nx\n"), "line 2, column 1: a.x has no value; write x = true");
  EXPECT_EQ(Rendered("[a]\n[\n"), "line 2, column 2: expected a section name after [");
}

// Any text that gcfg can hold comes out of ParseGcfg, and of go-gcfg, as it went in.
TEST(ConnectTemplateTest, WhatIsFilledInIsReadBack) {
  const std::vector<std::string> pieces = {"a",  " ",   "\"",       "\\",  ";",    "#",
                                           "\n", "\t",  "=",        "[s]", "${",   "}",
                                           "$",  "\\n", "\xc3\xa9", "''",  "\x01", ""};
  std::mt19937 random(20240801);
  const auto text = [&] {
    std::string value;
    for (size_t i = random() % 8; i-- > 0;) value += pieces[random() % pieces.size()];
    return value;
  };
  std::vector<std::string> files;
  for (int i = 0; i < 500; ++i) {
    const Values values = {{"node.name", text()}, {"secret.a", text()}, {"secret.b", text()}};
    const auto rendered = RenderConnectConfig(
        "[One]\na = ${secret.a}\nb = \"x ${secret.b};${secret.a}\"\n[Two \"t\"]\n"
        "c = ${node.name}\n",
        values);
    ASSERT_TRUE(rendered.ok()) << rendered.status();
    const GcfgFile file = ParseGcfg(*rendered);
    ASSERT_TRUE(file.errors.empty()) << *rendered;
    ASSERT_EQ(file.entries.size(), 3u);
    EXPECT_EQ(*file.entries[0].value, values.at("secret.a"));
    EXPECT_EQ(*file.entries[1].value, "x " + values.at("secret.b") + ";" + values.at("secret.a"));
    EXPECT_EQ(file.entries[2].subsection, "t");
    EXPECT_EQ(*file.entries[2].value, values.at("node.name"));
    files.push_back(*rendered);
  }
  const auto answers = AskGcfgOracle(files);
  ASSERT_EQ(answers.size(), files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(GcfgAnswer(ParseGcfg(files[i])), answers[i]) << files[i];
  }
}

TEST(ConnectTemplateTest, ASecretThatIsWrittenOutIsAnError) {
  EXPECT_EQ(Checked("[Postgres]\nPassword = s3cret\n"),
            "c.gcfg:2:1: Postgres.Password is written out; write ${secret.postgres_password}, and "
            "under secrets: where each node finds it: postgres_password: {file: "
            "/etc/connect-ha/secrets/postgres_password}\n");
  EXPECT_TRUE(absl::StrContains(Checked("[Postgres]\nURL = postgres://u:s3cret@db/connect\n"),
                                "c.gcfg:2:1: the password in Postgres.URL is written out; write "
                                "${secret.postgres_url} in its place"));
  EXPECT_TRUE(absl::StrContains(
      Checked("[Postgres]\nPassword = begin${secret.db}\n", SpecWithSecret("db")), "written out"));
}

TEST(ConnectTemplateTest, ASecretMayStandWhereNodesDoNotReportIt) {
  const v1::ClusterSpec spec = SpecWithSecret("db");
  EXPECT_EQ(Checked("[Postgres]\nPassword = ${secret.db}\nURL = postgres://u@db/connect\n", spec),
            "");
  EXPECT_EQ(Checked("[Postgres]\nURL = \"postgres://u:${secret.db}@db/c?sslmode=require\"\n", spec),
            "");
  EXPECT_EQ(Checked("[Postgres]\nURL = postgres://u:{$}@db/connect\nPassword =\n", spec), "");
  EXPECT_EQ(Checked("[Server]\nAddress = https://${secret.db}/\n", spec),
            "c.gcfg:2:1: a secret is filled in for Server.Address, which nodes report as it is; "
            "secrets are for keys that end in Password, Secret, Key, Token or Passphrase, and for "
            "passwords in URLs\n");
}

TEST(ConnectTemplateTest, UnknownNamesAreErrorsAtTheirPlace) {
  EXPECT_EQ(Checked("[Postgres]\nPassword = ${secret.d}\n[Server]\n\nDataDir = \"/x/${node.nam}\"",
                    SpecWithSecret("db")),
            "c.gcfg:2:12: the specification names no secret \"d\"; did you mean \"db\"?\n"
            "c.gcfg:5:15: unknown ${node.nam}; there are ${node.name} and ${secret.NAME}\n");
  EXPECT_TRUE(
      absl::StrContains(Checked("[Postgres]\nPassword = ${secret.db}"),
                        "c.gcfg:2:12: the specification names no secret \"db\"; write under "
                        "secrets: db: {file: /etc/connect-ha/secrets/db}\n"));
}

TEST(ConnectTemplateTest, WhatConnectDoesNotKnowIsAWarning) {
  EXPECT_EQ(Checked("[LoadBalancing]\nEnforceMinRsconnectVersion = true\n[Postgress]\nX = 1\n"
                    "[Servr]\nY = 1\n[Zzz]\nA = 1\n[HTTP]\nListn = :3939\nSomethingNew = 1\n"),
            "c.gcfg:2:1: warning: LoadBalancing.EnforceMinRsconnectVersion was removed in 1.7.8, "
            "since when it always holds; leave it out\n"
            "c.gcfg:4:1: warning: connect-ha does not know a section \"Postgress\" of Connect; did "
            "you mean \"Postgres\"?\n"
            "c.gcfg:6:1: warning: connect-ha does not know a section \"Servr\" of Connect; did you "
            "mean \"Server\"?\n"
            "c.gcfg:8:1: warning: connect-ha does not know a section \"Zzz\" of Connect\n"
            "c.gcfg:10:1: warning: connect-ha does not know a key \"Listn\" of Connect; did you "
            "mean \"Listen\"?\n");
}

TEST(ConnectTemplateTest, WhatWillNotDoForAClusterIsAWarning) {
  v1::ClusterSpec spec;
  spec.mutable_storage()->set_mount_point("/mnt/connect");
  EXPECT_EQ(FormatProblems(CheckConnectTemplate("[Server]\nAddress = x\n", "c.gcfg", spec)),
            "c.gcfg:1:1: warning: Database.Provider is sqlite by default; the nodes of a cluster "
            "share a database: write postgres\n"
            "c.gcfg:1:1: warning: Server.DataDir is /var/lib/rstudio-connect by default, which is "
            "not below the shared /mnt/connect\n");
  EXPECT_EQ(Checked("[Server]\nDataDir = /mnt/connect/data\n", spec),
            "c.gcfg:1:1: warning: Metrics.DataPath is below Server.DataDir by default, the same "
            "shared directory for every node; write one with ${node.name} in it, or a local one\n");
  EXPECT_EQ(Checked("[Server]\nDataDir = /mnt/connect/data\n[Metrics]\n"
                    "DataPath = /mnt/connect/m/${node.name}\n",
                    spec),
            "");
}

TEST(ConnectTemplateTest, GrammarIsCheckedToo) {
  EXPECT_EQ(Checked("[Server]\nHideVersion\nAddress = \"x\n"),
            "c.gcfg:2:1: Server.HideVersion has no value; write HideVersion = true\n"
            "c.gcfg:3:11: the value's quote is not closed on its line\n");
}

// An editor writes one.
TEST(ConnectTemplateTest, OneByteOrderMarkIsSkippedAndASecondIsAnError) {
  const std::string mark = "\xef\xbb\xbf";
  const std::string text = "[Server]\nDataDir = /mnt/connect\n";
  EXPECT_EQ(Rendered(mark + text), Rendered(text));
  EXPECT_EQ(Checked(mark + text), Checked(text));
  EXPECT_TRUE(absl::StartsWith(Rendered(mark + mark + text), "line 1, column 1: "))
      << Rendered(mark + mark + text);
  EXPECT_TRUE(absl::StrContains(Checked(mark + mark + text), "c.gcfg:1:1: unexpected character"))
      << Checked(mark + mark + text);
}

TEST(ConnectTemplateTest, ListsTheSecretsThatItAsksFor) {
  EXPECT_EQ(SecretsInTemplate("[a]\nx = ${secret.b}${secret.a} ${node.name}\ny = ${secret.b}\n"),
            (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace connect_ha
