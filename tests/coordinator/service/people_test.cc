// Who may do what, who did what, and since when somebody may no more: over mutual TLS.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/match.h"
#include "common/tls/certificate.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using Stub = v1::AdminService::Stub;
using std::chrono::hours;

template <typename Request, typename Response>
grpc::StatusCode CodeOf(Stub& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  Response response;
  return (stub.*method)(&context, request, &response).error_code();
}

// What each method answers; those that change something are asked for what does not exist.
std::map<std::string, grpc::StatusCode> CodesOf(Stub& stub) {
  v1::PreviewSpecRequest preview;
  preview.set_generation(1);
  v1::GetPreviewsRequest previews;
  previews.set_number(1);
  v1::ApplySpecRequest apply;
  apply.set_generation(17);
  v1::CreateAdminRequest create;
  v1::RemoveAdminRequest remove;
  remove.set_name("nobody");
  v1::RemoveNodeRequest remove_node;
  remove_node.set_node("nobody");
  v1::RevokeTokenRequest revoke;
  revoke.set_id("none");
  v1::GiveWordRequest give;
  give.mutable_word()->set_kind(v1::Word::CORDON);
  give.mutable_word()->set_node("nobody");
  give.mutable_word()->set_reason("asked for it");
  v1::TakeBackRequest take_back;
  take_back.add_kinds(v1::Word::CORDON);
  take_back.set_node("nobody");
  return {{"GetChecklist", CodeOf(stub, &Stub::GetChecklist, {})},
          {"GetSnapshot", CodeOf(stub, &Stub::GetSnapshot, {})},
          {"RefreshStatus", CodeOf(stub, &Stub::RefreshStatus, {})},
          {"ListEvents", CodeOf(stub, &Stub::ListEvents, {})},
          {"ListTokens", CodeOf(stub, &Stub::ListTokens, {})},
          {"ListAdmins", CodeOf(stub, &Stub::ListAdmins, {})},
          {"ListAudit", CodeOf(stub, &Stub::ListAudit, {})},
          {"ListNodes", CodeOf(stub, &Stub::ListNodes, {})},
          {"GetPreviews", CodeOf(stub, &Stub::GetPreviews, previews)},
          {"GetSpec", CodeOf(stub, &Stub::GetSpec, {})},
          {"ListSpecs", CodeOf(stub, &Stub::ListSpecs, {})},
          {"Refresh", CodeOf(stub, &Stub::Refresh, {})},
          {"PreviewSpec", CodeOf(stub, &Stub::PreviewSpec, preview)},
          {"CreateToken", CodeOf(stub, &Stub::CreateToken, {})},
          {"RevokeToken", CodeOf(stub, &Stub::RevokeToken, revoke)},
          {"CreateAdmin", CodeOf(stub, &Stub::CreateAdmin, create)},
          {"RemoveAdmin", CodeOf(stub, &Stub::RemoveAdmin, remove)},
          {"RemoveNode", CodeOf(stub, &Stub::RemoveNode, remove_node)},
          {"ApplySpec", CodeOf(stub, &Stub::ApplySpec, apply)},
          {"GiveWord", CodeOf(stub, &Stub::GiveWord, give)},
          {"TakeBack", CodeOf(stub, &Stub::TakeBack, take_back)},
          {"GetPlan", CodeOf(stub, &Stub::GetPlan, {})},
          {"ListRollouts", CodeOf(stub, &Stub::ListRollouts, {})}};
}

class PeopleTest : public testing::Test {
 protected:
  std::unique_ptr<Stub> As(const std::string& admin) {
    return v1::AdminService::NewStub(cluster_.Connect(cluster_.Issue(Role::kAdmin, admin)));
  }

  grpc::Status Checklist(Stub& stub) {
    grpc::ClientContext context;
    v1::Checklist checklist;
    return stub.GetChecklist(&context, {}, &checklist);
  }

  // By the first admin; the new one's identity.
  TestIdentity Create(const std::string& name, v1::Role role, bool replace = false) {
    TestIdentity identity;
    identity.key = *MakeKey();
    grpc::ClientContext context;
    v1::CreateAdminRequest request;
    request.set_name(name);
    request.set_role(role);
    request.set_csr_der(*MakeCsr(identity.key));
    request.set_replace(replace);
    request.set_why("asked for it");
    v1::CreateAdminResponse response;
    const grpc::Status status = first_->CreateAdmin(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    identity.certificate = response.certificate_pem();
    return identity;
  }

  grpc::Status Remove(const std::string& name) {
    grpc::ClientContext context;
    v1::RemoveAdminRequest request;
    request.set_name(name);
    v1::RemoveAdminResponse response;
    return first_->RemoveAdmin(&context, request, &response);
  }

  std::vector<v1::AuditEntry> Audit() { return *cluster_.coordinator().store().ListAudit(0, 1000); }

  TestCluster cluster_;
  std::unique_ptr<Stub> first_ = v1::AdminService::NewStub(cluster_.ConnectAdmin());
};

TEST_F(PeopleTest, EachMethodIsForItsRoleAndThoseAboveIt) {
  const std::map<std::string, v1::Role> least = {
      {"GetChecklist", v1::VIEWER},  {"GetSnapshot", v1::VIEWER}, {"RefreshStatus", v1::VIEWER},
      {"ListEvents", v1::VIEWER},    {"ListTokens", v1::VIEWER},  {"ListAdmins", v1::VIEWER},
      {"ListAudit", v1::VIEWER},     {"ListNodes", v1::VIEWER},   {"GetPreviews", v1::VIEWER},
      {"GetSpec", v1::VIEWER},       {"ListSpecs", v1::VIEWER},   {"Refresh", v1::OPERATOR},
      {"PreviewSpec", v1::OPERATOR}, {"CreateToken", v1::ADMIN},  {"RevokeToken", v1::ADMIN},
      {"CreateAdmin", v1::ADMIN},    {"RemoveAdmin", v1::ADMIN},  {"RemoveNode", v1::ADMIN},
      {"ApplySpec", v1::ADMIN},      {"GiveWord", v1::OPERATOR},  {"TakeBack", v1::OPERATOR},
      {"GetPlan", v1::VIEWER},       {"ListRollouts", v1::VIEWER}};
  // A method that is added has to say whom it is for, here too.
  const auto* service =
      v1::ListNodesRequest::descriptor()->file()->FindServiceByName("AdminService");
  ASSERT_EQ(static_cast<size_t>(service->method_count()), least.size());
  for (const v1::Role role : {v1::VIEWER, v1::OPERATOR, v1::ADMIN}) {
    const std::string name = "of-" + RoleWord(role);
    cluster_.LetIn(name, role);
    const auto stub = As(name);
    for (const auto& answer : CodesOf(*stub)) {
      EXPECT_EQ(answer.second == grpc::StatusCode::PERMISSION_DENIED, role < least.at(answer.first))
          << name << " " << answer.first;
    }
  }
}

TEST_F(PeopleTest, ACertificateOfTheAuthorityWithoutARecordIsRefusedEverywhere) {
  const auto stub = As("stranger");
  for (const auto& answer : CodesOf(*stub)) {
    EXPECT_EQ(answer.second, grpc::StatusCode::PERMISSION_DENIED) << answer.first;
  }
}

TEST_F(PeopleTest, ARemovedAdminIsOutAtTheNextCallOnTheSameConnection) {
  const auto bob = v1::AdminService::NewStub(cluster_.Connect(Create("bob", v1::ADMIN)));
  ASSERT_TRUE(Checklist(*bob).ok());

  ASSERT_TRUE(Remove("bob").ok());

  const grpc::Status refused = Checklist(*bob);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(refused.error_message(), "admin \"bob\" was removed; fix: "))
      << refused.error_message();
  cluster_.Restart();
  EXPECT_EQ(Checklist(*As("bob")).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(PeopleTest, NeitherARemovedAdminNorAnOlderCertificateRenews) {
  const auto renew = [](const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    v1::RenewRequest request;
    request.set_csr_der(*MakeCsr(*MakeKey()));
    v1::RenewResponse response;
    return v1::RenewalService::NewStub(channel)->Renew(&context, request, &response).error_code();
  };
  const auto bob = cluster_.Connect(Create("bob", v1::OPERATOR));
  EXPECT_EQ(renew(bob), grpc::StatusCode::OK);
  const TestIdentity old = {*MakeKey(), ""};
  const TestIdentity long_ago = {old.key, *LoadAuthority(cluster_.dir())
                                               ->Issue({{"test", Role::kAdmin, "bob"}, {}},
                                                       *MakeCsr(old.key), TestNow() - hours(1))};
  EXPECT_EQ(renew(cluster_.Connect(long_ago)), grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(Remove("bob").ok());

  EXPECT_EQ(renew(bob), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(renew(cluster_.Connect(cluster_.Issue(Role::kAdmin, "stranger"))),
            grpc::StatusCode::PERMISSION_DENIED);
}

// Each is an entry in the audit log, and all nodes look again.
TEST_F(PeopleTest, AnOperatorCannotKeepEveryNodeAtWorkNorFillTheAuditLog) {
  cluster_.LetIn("bob", v1::OPERATOR);
  const auto bob = As("bob");
  const size_t before = Audit().size();
  for (size_t i = 0; i < kOrdersAnHour; ++i) {
    ASSERT_EQ(CodeOf(*bob, &Stub::Refresh, {}), grpc::StatusCode::OK) << i;
  }
  v1::PreviewSpecRequest preview;
  preview.set_generation(1);
  EXPECT_EQ(CodeOf(*bob, &Stub::Refresh, {}), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(CodeOf(*bob, &Stub::PreviewSpec, preview), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(CodeOf(*bob, &Stub::GetChecklist, {}), grpc::StatusCode::OK);
  EXPECT_EQ(CodeOf(*first_, &Stub::Refresh, {}), grpc::StatusCode::OK);  // somebody else
  EXPECT_EQ(Audit().size(), before + kOrdersAnHour + 1);
}

TEST_F(PeopleTest, TheLastAdminStays) {
  const grpc::Status refused = Remove("admin");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Checklist(*first_).ok());
}

TEST_F(PeopleTest, TheAuditLogNamesThePersonTheAddressAndTheReason) {
  const auto carol = v1::AdminService::NewStub(cluster_.Connect(Create("carol", v1::ADMIN)));
  {
    grpc::ClientContext context;
    v1::CreateTokenRequest request;
    request.set_why(std::string(5000, 'w'));
    v1::CreateTokenResponse response;
    ASSERT_TRUE(carol->CreateToken(&context, request, &response).ok());
  }
  {
    grpc::ClientContext context;
    v1::ApplySpecRequest request;
    request.set_generation(1);
    request.set_newest_generation(1);
    request.set_why("a drill");
    v1::ApplySpecResponse response;
    const grpc::Status applied = carol->ApplySpec(&context, request, &response);
    ASSERT_TRUE(applied.ok()) << applied.error_message();
  }
  EXPECT_EQ(CodeOf(*carol, &Stub::Refresh, {}), grpc::StatusCode::OK);
  EXPECT_EQ(CodeOf(*carol, &Stub::GetChecklist, {}), grpc::StatusCode::OK);
  std::vector<v1::AuditEntry> audit;
  for (const v1::AuditEntry& entry : Audit()) {
    if (entry.actor() != "coordinator") audit.push_back(entry);  // what people did
  }
  ASSERT_GE(audit.size(), 4u);
  const v1::AuditEntry* last = &audit.back() - 3;
  EXPECT_EQ(last[0].action(), v1::AuditEntry::ADMIN_CREATED);
  EXPECT_EQ(last[0].actor(), "admin/admin");
  EXPECT_EQ(last[0].subject(), "carol");
  EXPECT_EQ(last[0].text(), "role admin");
  EXPECT_EQ(last[0].why(), "asked for it");
  EXPECT_EQ(last[1].action(), v1::AuditEntry::TOKEN_CREATED);
  EXPECT_EQ(last[1].why().size(), 1024u);
  EXPECT_EQ(last[2].action(), v1::AuditEntry::SPEC_APPLIED);
  EXPECT_EQ(last[2].subject(), "generation 2");
  EXPECT_EQ(last[2].why(), "a drill");
  EXPECT_EQ(cluster_.coordinator().store().GetSpec(2)->applied_by(), "admin/carol");
  EXPECT_EQ(last[3].action(), v1::AuditEntry::REFRESHED);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(last[i].address(), "127.0.0.1") << i;
    EXPECT_EQ(last[i].actor(), i == 0 ? "admin/admin" : "admin/carol") << i;
  }
}

TEST_F(PeopleTest, WhoAsksNodesWhatTheyWouldChangeIsWrittenDown) {
  cluster_.LetIn("bob", v1::OPERATOR);
  v1::PreviewSpecRequest preview;
  preview.set_generation(1);
  ASSERT_EQ(CodeOf(*As("bob"), &Stub::PreviewSpec, preview), grpc::StatusCode::OK);
  const v1::AuditEntry last = Audit().back();
  EXPECT_EQ(last.action(), v1::AuditEntry::PREVIEWED);
  EXPECT_EQ(last.actor(), "admin/bob");
  EXPECT_EQ(last.subject(), "generation 1");
}

TEST_F(PeopleTest, ANodeAddsNothingToTheAuditLogAndTakesNothingFromIt) {
  TestNode node(cluster_, "node-1");
  const size_t before = Audit().size();
  ASSERT_TRUE(node.Beat().ok());
  for (int i = 1; i <= 300; ++i) {
    v1::ChangeMade& made = *node.request.add_changes_made();
    made.set_number(static_cast<uint64_t>(i));
    made.mutable_change()->set_resource("package rstudio-connect");
  }
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(Audit().size(), before);
}

TEST_F(PeopleTest, WhatPeopleDidIsKeptForTwoYears) {
  constexpr hours kTwoYears{2 * 365 * 24};
  const Time now = TestNow();
  const size_t all = Audit().size();
  ASSERT_GT(all, 1u);
  cluster_.coordinator().Tick(now + kTwoYears - hours(1));
  EXPECT_EQ(Audit().size(), all);
  cluster_.coordinator().Tick(now + kTwoYears + hours(1));
  EXPECT_EQ(Audit().size(), 1u);  // the newest stays
}

TEST_F(PeopleTest, TheAuditLogIsListedInPages) {
  cluster_.LetIn("bob", v1::VIEWER);
  const auto bob = As("bob");
  const auto whole = Audit();
  ASSERT_GE(whole.size(), 3u);
  grpc::ClientContext context;
  v1::ListAuditRequest request;
  request.set_after_id(1);
  request.set_limit(1);
  v1::ListAuditResponse page;
  ASSERT_TRUE(bob->ListAudit(&context, request, &page).ok());
  ASSERT_EQ(page.entries_size(), 1);
  EXPECT_EQ(page.entries(0).id(), 2u);
  EXPECT_EQ(page.newest_id(), whole.back().id());
  EXPECT_FALSE(page.has_anchor());
}

TEST_F(PeopleTest, NodesAreListedWithoutTheirFacts) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  grpc::ClientContext context;
  v1::ListNodesResponse nodes;
  ASSERT_TRUE(first_->ListNodes(&context, {}, &nodes).ok());
  ASSERT_EQ(nodes.nodes_size(), 1);
  EXPECT_EQ(nodes.nodes(0).name(), "node-1");
  EXPECT_TRUE(nodes.has_taken_at());
  EXPECT_LT(nodes.ByteSizeLong(), 400u);
}

TEST_F(PeopleTest, ANodeIsToldWhichDigestKeyTheOthersUse) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(node.response.digest_key_id().size(), 16u);
}

}  // namespace
}  // namespace connect_ha
