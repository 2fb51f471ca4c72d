// A real coordinator over TLS, and the nodes and the admin that call it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "agent/link/coordinator_client.h"
#include "agent/link/enroll.h"
#include "agent/link/identity.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/identity.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/cli/link/admin_client.h"
#include "coordinator/cli/link/admin_link.h"
#include "coordinator/identity/init.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

inline constexpr char kMachine[] = "0123456789abcdef0123456789abcdef";

template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

class ClientTest : public testing::Test {
 protected:
  std::unique_ptr<AdminLink> Admin() {
    const std::string dir = cluster_.dir() + "/admin";
    EXPECT_TRUE(WriteSmallFile(dir + "/coordinator", cluster_.target() + "\n", 0644).ok());
    auto admin = OpenAdminClient(dir, TestNow());
    EXPECT_TRUE(admin.ok()) << admin.status();
    return *std::move(admin);
  }

  EnrollOptions Options(const std::string& node, const v1::CreateTokenRequest& request = {}) {
    const auto token = Admin()->CreateToken(request);
    EXPECT_TRUE(token.ok()) << token.status();
    EnrollOptions options;
    options.state_dir = state_ / node;
    options.coordinator = cluster_.enrol_target();
    options.ca_hash = token->ca_hash();
    options.token = token->token_secret();
    options.node = node;
    options.machine_id = kMachine;
    return options;
  }

  // An identity whose certificate was issued so long ago.
  NodeIdentity IssuedAgo(const std::string& node, std::chrono::hours age) {
    const auto authority = LoadAuthority(cluster_.dir());
    NodeIdentity identity;
    identity.coordinator = cluster_.target();
    identity.token_id = "abc";
    identity.ca = authority->certificate();
    identity.digest_key = "key";
    identity.credentials.key = *MakeKey();
    identity.credentials.certificate = *authority->Issue(
        {{"test", Role::kNode, node}, {}}, *MakeCsr(identity.credentials.key), TestNow() - age);
    identity.certificate = *ParseCertificate(identity.credentials.certificate);
    std::filesystem::create_directory(state_ / node);
    EXPECT_TRUE(StoreNodeIdentity(state_ / node, identity).ok());
    return identity;
  }

  std::unique_ptr<CoordinatorClient> Client(
      const NodeIdentity& identity,
      std::chrono::milliseconds renewal_check = std::chrono::seconds(60)) {
    CoordinatorClientOptions options;
    options.state_dir = state_ / identity.certificate.identity.name;
    options.identity = identity;
    options.now = TestNow;
    options.renewal_check = renewal_check;
    return std::make_unique<CoordinatorClient>(std::move(options));
  }

  static v1::HeartbeatRequest Beat(const std::string& node) {
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id(kMachine);
    request.set_boot_id("boot");
    request.set_agent_version("0");
    return request;
  }

  TestCluster cluster_;
  TemporaryDirectory state_;
};

}  // namespace connect_ha
