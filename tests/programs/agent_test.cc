// connect-ha-agent as a person and systemd run it: the real program on this machine, with
// configuration files of its own.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_join.h"
#include "agent/link/identity.h"
#include "common/checklist/rule.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/programs/process.h"

namespace connect_ha {
namespace {

bool FromJson(const std::string& json, google::protobuf::Message& message) {
  return google::protobuf::util::JsonStringToMessage(json, &message).ok();
}

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    WriteFile("connect.gcfg", "[Server]\nDataDir = /var/lib/rstudio-connect\n");
    std::filesystem::permissions(dir_ / "connect.gcfg", std::filesystem::perms(0644));
    WriteFile("agent.yaml", Settings(dir_ / "connect.gcfg"));
  }

  // Settings with which nothing outside this machine is asked.
  static std::string Settings(const std::string& connect_config) {
    return "connect_config: " + connect_config + "\nimds_endpoint: http://127.0.0.1:1\n";
  }
  void WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
  }

  std::unique_ptr<Process> Start(std::vector<std::string> arguments,
                                 const std::vector<std::string>& environment = {}) {
    arguments.insert(arguments.begin(), CONNECT_HA_AGENT);
    return std::make_unique<Process>(arguments, environment);
  }
  std::unique_ptr<Process> Run(const std::vector<std::string>& arguments) {
    auto program = Start(arguments);
    code_ = program->Wait();
    return program;
  }
  std::vector<std::string> WithState(std::vector<std::string> arguments) {
    for (const std::string& word : {std::string("--config"), dir_ / "agent.yaml",
                                    std::string("--state-dir"), dir_ / "state"}) {
      arguments.push_back(word);
    }
    return arguments;
  }

  TemporaryDirectory dir_;
  int code_ = -1;
};

TEST_F(AgentTest, FactsPrintsWhatTheNodeIsWithoutACoordinator) {
  const auto program = Run(WithState({"facts"}));

  EXPECT_EQ(code_, 0) << program->error();
  v1::Facts facts;
  ASSERT_TRUE(FromJson(program->out(), facts)) << program->out();
  char host_name[256] = "";
  gethostname(host_name, sizeof host_name - 1);
  EXPECT_EQ(facts.host().hostname(), host_name);
  EXPECT_GT(facts.memory().total_bytes(), 0u);
  EXPECT_EQ(facts.configuration().path(), dir_ / "connect.gcfg");
}

TEST_F(AgentTest, FactsTellsOfAnOverrideThatWasUsedWhereverItsStateIs) {
  std::filesystem::create_directory(dir_ / "state");
  v1::PreflightResult kept;
  kept.mutable_override()->set_by("alice");
  WriteFile("state/preflight-overridden", kept.SerializeAsString());

  const auto program = Run(WithState({"facts"}));

  v1::Facts facts;
  ASSERT_TRUE(FromJson(program->out(), facts)) << program->out();
  EXPECT_EQ(facts.guard().overridden().override().by(), "alice");
}

TEST_F(AgentTest, CheckJudgesTheRulesThatNeedNoOtherNode) {
  const auto program = Run(WithState({"check", "--output", "json"}));

  v1::Checklist checklist;
  ASSERT_TRUE(FromJson(program->out(), checklist)) << program->out();
  std::vector<std::string> judged, expected;
  for (const v1::Finding& finding : checklist.findings()) judged.push_back(finding.rule());
  for (const Rule& rule : Rules()) {
    if (rule.on_one_node != nullptr) expected.push_back(rule.id);
  }
  EXPECT_EQ(judged, expected);
  EXPECT_EQ(code_, 1);  // the configuration is not root's alone
  for (const v1::Finding& finding : checklist.findings()) {
    // There may be no coordinator, and `connect-ha` is not on a node.
    for (const v1::Fix& fix : finding.fixes()) {
      EXPECT_EQ(fix.DebugString().find("connect-ha "), std::string::npos) << fix.DebugString();
    }
    const bool wants = finding.outcome() == v1::UNKNOWN || finding.outcome() == v1::FAIL;
    EXPECT_EQ(!finding.fixes().empty(), wants) << finding.rule();
  }
}

TEST_F(AgentTest, CheckGoesByTheSpecificationThatTheNodeHolds) {
  v1::Assignment assignment;
  assignment.mutable_desired()->set_generation(7);
  assignment.mutable_desired()->mutable_spec()->set_cluster("analytics");
  std::filesystem::create_directory(dir_ / "state");
  WriteFile("state/assignment", assignment.SerializeAsString());
  auto program = Run(WithState({"check", "--output", "json"}));
  v1::Checklist checklist;
  ASSERT_TRUE(FromJson(program->out(), checklist)) << program->out();
  EXPECT_EQ(checklist.cluster(), "analytics");

  WriteFile("state/assignment", "no assignment");
  program = Run(WithState({"check"}));
  EXPECT_EQ(code_, 1);
  EXPECT_NE(program->error().find("error: judged without a specification: "), std::string::npos);
  EXPECT_NE(program->error().find("\nfix:   remove it"), std::string::npos) << program->error();
}

TEST_F(AgentTest, PreflightExplainsWhatKeepsConnectFromStarting) {
  std::filesystem::create_directory(dir_ / "state");
  auto program = Run(WithState({"preflight", "--explain"}));
  EXPECT_EQ(code_, 0) << program->error();
  EXPECT_NE(program->out().find("this node holds no specification yet"), std::string::npos)
      << program->out();

  WriteFile("state/assignment", "");
  program = Run(WithState({"preflight", "--explain"}));
  EXPECT_EQ(code_, 1);
  EXPECT_NE(program->out().find("\nConnect may not start on this node: "), std::string::npos)
      << program->out();
  EXPECT_NE(program->out().find("is damaged; fix: "), std::string::npos) << program->out();

  program = Run({"preflight", "--explain", "--override", "reason"});
  EXPECT_EQ(code_, 2);
}

TEST_F(AgentTest, CheckInFullNeverAsksForACheckInFull) {
  const auto program = Run(WithState({"check", "--full"}));
  EXPECT_EQ(program->out().find("connect-ha-agent check --full\n"), std::string::npos)
      << program->out();
}

TEST_F(AgentTest, CheckPrintsWhatToActOnForPeople) {
  auto program = Run(WithState({"check"}));
  EXPECT_EQ(code_, 1);
  EXPECT_EQ(program->out().rfind("node ", 0), 0u) << program->out();
  EXPECT_NE(program->out().find("\nFAIL  data      connect-version-matches\n"), std::string::npos)
      << program->out();
  EXPECT_NE(program->out().find("do        connect-ha-agent check --full\n"), std::string::npos);

  program = Run(WithState({"check", "--all"}));
  EXPECT_EQ(code_, 1);
  EXPECT_NE(program->out().find("\nconfiguration\n"), std::string::npos) << program->out();
  EXPECT_NE(program->out().find("configuration-is-protected"), std::string::npos);
}

TEST_F(AgentTest, CheckConfigSaysWhereTheMistakeIs) {
  auto program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 0);
  EXPECT_EQ(program->out(), dir_ / "agent.yaml" + ": ok\n" + (dir_ / "connect.gcfg") + ": ok\n");

  WriteFile("connect.gcfg", "[Server]\nDataDir = \"open\n");
  program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 2);
  EXPECT_NE(program->out().find(dir_ / "connect.gcfg" + ":2:"), std::string::npos)
      << program->out();

  // A switch alone is read as true; what Connect refuses or reads otherwise than meant is wrong.
  WriteFile("connect.gcfg", "[HTTP]\nNoWarning\n");
  program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 0);
  EXPECT_NE(program->out().find(dir_ / "connect.gcfg" + ":2:1: warning: HTTP.NoWarning has no ="),
            std::string::npos)
      << program->out();
  WriteFile("connect.gcfg",
            "[Server]\nAddress = {{ REPLACEME }}\nListen = :80\n[HTTPS]\nPermanent = t\n");
  program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 2);
  for (const char* place :
       {":2:1: Server.Address still has a placeholder",
        ":3:1: Server has no key Listen; put it below [HTTP] or [HTTPS]",
        ":5:1: HTTPS.Permanent must be true, yes, on, 1, false, no, off or 0"}) {
    EXPECT_NE(program->out().find(dir_ / "connect.gcfg" + place), std::string::npos)
        << program->out();
  }

  WriteFile("agent.yaml", Settings(dir_ / "none.gcfg"));
  program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 3);
  EXPECT_NE(program->error().find(dir_ / "none.gcfg" + ": no such file"), std::string::npos);

  WriteFile("agent.yaml", "conect_config: /etc/x\n");
  program = Run({"check-config", "--config", dir_ / "agent.yaml"});
  EXPECT_EQ(code_, 2);
  EXPECT_EQ(program->out().rfind(dir_ / "agent.yaml" + ":1:1: ", 0), 0u) << program->out();
}

TEST_F(AgentTest, EveryCommandRefusesSettingsThatAreWrong) {
  WriteFile("agent.yaml", "poll_interval: never\n");
  for (const char* command : {"run", "facts", "check"}) {
    const auto program = Run(WithState({command}));
    EXPECT_EQ(code_, 2) << command;
    EXPECT_NE(program->error().find("agent.yaml:1:"), std::string::npos) << program->error();
  }
  Run({"facts", "--config", dir_ / "none.yaml"});
  EXPECT_EQ(code_, 2);
}

TEST_F(AgentTest, EnrollSaysWhatItLacks) {
  const std::vector<std::string> at = {
      "enroll",      "--coordinator", "127.0.0.1:1", "--ca-hash", "sha256:" + std::string(64, '0'),
      "--state-dir", dir_ / "state"};
  auto program = Run({"enroll"});
  EXPECT_EQ(code_, 2);
  EXPECT_NE(program->error().find("use the whole command"), std::string::npos);

  program = Run(at);
  EXPECT_EQ(code_, 2);
  EXPECT_NE(program->error().find("needs --token or --token-file"), std::string::npos);

  auto unreadable = at;
  unreadable.insert(unreadable.end(), {"--token-file", dir_ / "none"});
  program = Run(unreadable);
  EXPECT_EQ(code_, 2);
  EXPECT_NE(program->error().find(dir_ / "none"), std::string::npos);

  auto unreachable = at;
  unreachable.insert(unreachable.end(),
                     {"--token", "aaaaaaaaaa." + std::string(52, 'a'), "--node", "node-1"});
  program = Run(unreachable);
  EXPECT_EQ(code_, 3);
  EXPECT_NE(program->error().find("connection refused"), std::string::npos) << program->error();
  EXPECT_EQ(program->error().find("ssl_transport"), std::string::npos) << program->error();
}

// Every error says what to type next.
TEST_F(AgentTest, EachErrorCarriesAFix) {
  WriteFile("bad.yaml", "poll_interval: never\n");
  WriteFile("bad.gcfg", "[Server\n");
  WriteFile("bad-connect.yaml", Settings(dir_ / "bad.gcfg"));
  WriteFile("no-connect.yaml", Settings(dir_ / "none.gcfg"));
  WriteFile("node.key", "no key");
  WriteFile("node.crt", "no certificate");
  const std::string none = dir_ / "none";
  const std::string hash = "sha256:" + std::string(64, '0');
  const std::string token = "aaaaaaaaaa." + std::string(52, 'a');
  const auto enroll = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"enroll", "--coordinator", "127.0.0.1:1", "--state-dir",
                                      dir_ / "state"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{}, 2},
      {{"chek"}, 2},
      {{"check", "--bogus"}, 2},
      {{"check-config", none}, 2},
      {{"run", "--config", none}, 2},
      {{"facts", "--config", none}, 2},
      {{"check", "--config", dir_ / "bad.yaml"}, 2},
      {{"preview", "--config", dir_ / "bad.yaml"}, 2},
      {{"preview", "--state-dir", none}, 3},
      {{"run", "--config", dir_ / "agent.yaml", "--state-dir", dir_ / ""}, 3},
      {{"check-config", "--config", none}, 2},
      {{"check-config", "--config", dir_ / "bad.yaml"}, 2},
      {{"check-config", "--config", dir_ / "bad-connect.yaml"}, 2},
      {{"check-config", "--config", dir_ / "no-connect.yaml"}, 3},
      {{"enroll"}, 2},
      {enroll({"--ca-hash", hash}), 2},
      {enroll({"--ca-hash", hash, "--token-file", none}), 2},
      {enroll({"--ca-hash", hash, "--token", token, "--wait", "abc"}), 2},
      {enroll({"--ca-hash", hash, "--token", "malformed"}), 2},
      {enroll({"--ca-hash", "malformed", "--token", token, "--node", "node-1"}), 2},
      {enroll({"--ca-hash", hash, "--token", token, "--node", "Node_1"}), 2},
      {enroll({"--ca-hash", hash, "--token", token, "--node", "node-1"}), 3},
  };
  for (const auto& [words, code] : cases) {
    const auto program = Run(words);
    EXPECT_EQ(code_, code) << absl::StrJoin(words, " ") << "\n" << program->error();
    EXPECT_NE(program->error().find("error: "), std::string::npos) << absl::StrJoin(words, " ");
    EXPECT_NE(program->error().find("\nfix:   "), std::string::npos)
        << absl::StrJoin(words, " ") << "\n"
        << program->error();
  }
}

class AgentRunTest : public AgentTest {
 protected:
  // What a person does with the command that `token create` prints.
  void Enroll(const std::string& node) {
    const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
    grpc::ClientContext context;
    v1::CreateTokenRequest request;
    v1::CreateTokenResponse token;
    ASSERT_TRUE(admin->CreateToken(&context, request, &token).ok());
    WriteFile("token", token.token_secret() + "\n");
    const auto program =
        Run({"enroll", "--coordinator", cluster_.enrol_target(), "--ca-hash", token.ca_hash(),
             "--token-file", dir_ / "token", "--node", node, "--state-dir", dir_ / "state"});
    ASSERT_EQ(code_, 0) << program->error();
    EXPECT_EQ(program->out(), "enrolled: " + node + " in cluster test\n");
  }
  bool Reports(const std::string& node) {
    return Eventually([&] {
      const auto known = cluster_.coordinator().roster().TakeNode(node, TestNow());
      return known.ok() && known->facts().has_host();
    });
  }

  TestCluster cluster_;
  NotifySocket systemd_;
};

TEST_F(AgentRunTest, WaitsUntilItIsEnrolledReportsAndStopsWhenTold) {
  std::filesystem::create_directory(dir_ / "state");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  EXPECT_TRUE(systemd_.Await("READY=1"));
  EXPECT_TRUE(agent->AwaitError("event=waiting reason=\"this node is not enrolled"))
      << agent->error();
  EXPECT_TRUE(systemd_.Await("WATCHDOG=1"));

  Enroll("node-1");
  EXPECT_TRUE(Reports("node-1")) << agent->error();
  EXPECT_TRUE(agent->AwaitError("event=started node=node-1 cluster=test coordinator=localhost:"));
  EXPECT_TRUE(systemd_.Await("STATUS=reporting to the coordinator"));
  EXPECT_TRUE(systemd_.Await("WATCHDOG=1"));

  agent->Signal(SIGPIPE);  // as a peer that hangs up has the kernel send
  EXPECT_TRUE(systemd_.Await("WATCHDOG=1"));
  agent->Signal(SIGTERM);
  EXPECT_TRUE(systemd_.Await("STOPPING=1"));
  EXPECT_EQ(agent->Wait(), 0);
  EXPECT_TRUE(agent->AwaitError("event=stopping reason=signal"));
}

TEST_F(AgentRunTest, EndsWhileItWaitsWhenTold) {
  std::filesystem::create_directory(dir_ / "state");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  ASSERT_TRUE(systemd_.Await("READY=1"));
  agent->Signal(SIGTERM);
  EXPECT_EQ(agent->Wait(), 0);
}

TEST_F(AgentRunTest, EndsWhenItIsEnrolledAnewSoThatSystemdStartsItWithTheNewName) {
  Enroll("node-1");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  ASSERT_TRUE(Reports("node-1")) << agent->error();

  Enroll("node-2");

  EXPECT_EQ(agent->Wait(), 0);
  EXPECT_TRUE(agent->AwaitError("event=stopping reason=enrolled-anew"));
}

// As a renewal brings it; what was read with the one before is of no use any more.
TEST_F(AgentRunTest, EndsWhenItsDigestKeyBecomesAnother) {
  Enroll("node-1");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  ASSERT_TRUE(Reports("node-1")) << agent->error();
  auto identity = LoadNodeIdentity(dir_ / "state");
  ASSERT_TRUE(identity.ok()) << identity.status();

  identity->digest_key = std::string(32, 'k');
  ASSERT_TRUE(StoreNodeIdentity(dir_ / "state", *identity).ok());

  EXPECT_EQ(agent->Wait(), 0);
  EXPECT_TRUE(agent->AwaitError("event=stopping reason=enrolled-anew"));
}

TEST_F(AgentRunTest, EnrollingSetsAsideWhatAnotherClusterToldThisNode) {
  v1::Assignment assignment;
  assignment.set_cluster("other");
  assignment.set_state(v1::PREPARING);
  assignment.mutable_desired()->set_generation(7);
  std::filesystem::create_directory(dir_ / "state");
  WriteFile("state/assignment", assignment.SerializeAsString());
  WriteFile("state/changes", "untold");

  Enroll("node-1");

  v1::Assignment held;
  std::ifstream file(dir_ / "state/assignment");
  EXPECT_TRUE(held.ParseFromIstream(&file));
  EXPECT_NE(held.cluster(), "other");
  EXPECT_FALSE(held.has_desired());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state/changes"));
  std::vector<std::string> aside;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(dir_ / "state/set-aside")) {
    if (entry.is_regular_file()) aside.push_back(entry.path().filename());
  }
  std::sort(aside.begin(), aside.end());
  EXPECT_EQ(aside, (std::vector<std::string>{"assignment", "changes"}));
}

TEST_F(AgentRunTest, SaysWhatItsSettingsAllow) {
  WriteFile("agent.yaml", Settings(dir_ / "connect.gcfg") + "allow: observe\n");
  Enroll("node-1");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  ASSERT_TRUE(Reports("node-1")) << agent->error();
  const auto known = cluster_.coordinator().roster().TakeNode("node-1", TestNow());
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(known->allow(), v1::ALLOW_OBSERVE);
}

TEST_F(AgentRunTest, ReportsAnOverrideThatWasUsedWhileItWasAway) {
  Enroll("node-1");
  v1::PreflightResult kept;
  kept.mutable_override()->set_by("alice");
  WriteFile("state/preflight-overridden", kept.SerializeAsString());
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  EXPECT_TRUE(Eventually([&] {
    const auto known = cluster_.coordinator().roster().TakeNode("node-1", TestNow());
    return known.ok() && known->facts().guard().overridden().override().by() == "alice";
  })) << agent->error();
}

TEST_F(AgentRunTest, StaysWhenADirectoryThatItWatchesAppears) {
  WriteFile("agent.yaml", Settings(dir_ / "later" + "/connect.gcfg"));
  Enroll("node-1");
  const auto agent = Start(WithState({"run"}), systemd_.Environment(400));
  ASSERT_TRUE(Reports("node-1")) << agent->error();

  std::filesystem::create_directory(dir_ / "later");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  agent->Signal(SIGTERM);

  EXPECT_EQ(agent->Wait(), 0);
  EXPECT_TRUE(agent->AwaitError("event=stopping reason=signal"));
}

TEST_F(AgentRunTest, GoesOnWithoutACoordinatorAndComesBack) {
  Enroll("node-1");
  cluster_.Stop();
  // Fed so seldom that the socket, which nobody reads meanwhile, has room for all of it.
  const auto agent = Start(WithState({"run"}), systemd_.Environment(4000));
  EXPECT_TRUE(agent->AwaitError("event=coordinator-away reason=")) << agent->error();
  EXPECT_TRUE(systemd_.Await("WATCHDOG=1"));

  cluster_.Start();

  EXPECT_TRUE(Reports("node-1")) << agent->error();
  EXPECT_TRUE(agent->AwaitError("event=coordinator-back"));
}

}  // namespace
}  // namespace connect_ha
