// Who may write: one opening after the other, and what is left of one that was killed.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

struct Acknowledged {
  uint64_t id;
  int number;
};

// Writes and acknowledges each through the pipe, as the coordinator does, until killed.
[[noreturn]] void WriteAndAcknowledge(Store& store, int acks) {
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&store, acks, t] {
      for (int i = t;; i += 4) {
        const std::string text = absl::StrCat("number ", i);
        if (!store.AddAudit(AnEntry(text)).ok()) _exit(2);
        const auto id = store.AddEvent(AnEvent("", "", text));
        if (!id.ok()) _exit(3);
        const Acknowledged done{*id, i};
        if (write(acks, &done, sizeof done) != sizeof done) _exit(4);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(5);
}

// Waits for the child's end; it was killed, and did not give up by itself.
void ExpectKilled(pid_t child) {
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

}  // namespace

TEST_P(StoreContract, EachOpeningHasAGreaterEpochAndTheSameLineage) {
  const std::string lineage = store_->lineage();
  EXPECT_EQ(lineage.size(), 32u);
  EXPECT_EQ(lineage.find_first_not_of("0123456789abcdef"), std::string::npos) << lineage;
  for (int opening = 0; opening < 5; ++opening) {
    const uint64_t before = store_->epoch();
    Reopen();
    EXPECT_GT(store_->epoch(), before);
    EXPECT_EQ(store_->lineage(), lineage);
    EXPECT_FALSE(store_->superseded());
  }
}

TEST_P(StoreContract, TwoStoresHaveTwoLineages) {
  const std::string name = Name() + "_other";
  auto other = GetParam().open(name);
  ASSERT_NE(other, nullptr);
  EXPECT_NE(other->lineage(), store_->lineage());
  other.reset();
  GetParam().erase(name);
}

TEST_P(StoreContract, OnceAnotherHasOpenedItEveryWriteOfTheEarlierIsRefused) {
  Furnish(*store_);
  EXPECT_FALSE(store_->superseded());
  const auto second = GetParam().take_over(Name());
  ASSERT_NE(second, nullptr);
  const std::string before = Everything(*second);
  EXPECT_GT(second->epoch(), store_->epoch());
  EXPECT_EQ(second->lineage(), store_->lineage());
  for (const auto& [write, status] : TryEveryWrite(*store_)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << write << ": " << status;
  }
  EXPECT_TRUE(store_->superseded());
  EXPECT_FALSE(second->superseded());
  EXPECT_EQ(Everything(*second), before);
  for (const auto& [write, status] : TryEveryWrite(*second)) {
    EXPECT_TRUE(status.ok()) << write << ": " << status;
  }
}

TEST_P(StoreContract, ThatAnotherHasOpenedItIsKnownWithoutAWriteAndForEver) {
  {
    const auto second = GetParam().take_over(Name());
    ASSERT_NE(second, nullptr);
    EXPECT_TRUE(store_->superseded());
  }
  EXPECT_TRUE(store_->superseded());
  EXPECT_EQ(store_->AddEvent(AnEvent("", "", "")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  Reopen();
  EXPECT_FALSE(store_->superseded());
  EXPECT_TRUE(Events(*store_).empty());
}

TEST_P(StoreContract, OfThreeThatHaveItOpenTheLastOneWrites) {
  const auto second = GetParam().take_over(Name());
  const auto third = GetParam().take_over(Name());
  ASSERT_TRUE(second != nullptr && third != nullptr);
  EXPECT_EQ(store_->AddAudit(AnEntry("1")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second->AddAudit(AnEntry("2")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(third->AddAudit(AnEntry("3")).ok());
  EXPECT_EQ(Entries(*third).size(), 1u);
}

// That the next opening has a greater epoch does not show it, as the clock alone would do that:
// the one that was there before is refused.
TEST_P(StoreContract, OneThatWasKilledBeforeItsFirstWriteHasCountedTheEpochUp) {
  Furnish(*store_);
  const std::string before = Everything(*store_);
  const std::string name = Name();  // has this process's id
  store_.reset();                   // nothing is open while it forks
  int go[2], told[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    char word = 0;
    if (read(go[0], &word, 1) != 1) _exit(1);
    const auto store = GetParam().take_over(name);
    const uint64_t epoch = store == nullptr ? 0 : store->epoch();
    if (write(told[1], &epoch, sizeof epoch) == sizeof epoch) kill(getpid(), SIGKILL);
    _exit(1);
  }
  close(go[0]);
  close(told[1]);
  Reopen();
  const uint64_t first = store_->epoch();
  EXPECT_EQ(write(go[1], "g", 1), 1);
  close(go[1]);
  uint64_t killed = 0;
  EXPECT_EQ(read(told[0], &killed, sizeof killed), ssize_t{sizeof killed});
  close(told[0]);
  ExpectKilled(child);
  EXPECT_GT(killed, first);
  EXPECT_TRUE(store_->superseded());
  EXPECT_EQ(store_->AddEvent(AnEvent("", "", "")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  Reopen();
  EXPECT_GT(store_->epoch(), killed);
  EXPECT_EQ(Everything(*store_), before);
}

TEST_P(StoreContract, WhateverWasAcknowledgedIsThereAfterKill9) {
  const std::string name = Name();  // has this process's id
  store_.reset();
  int acks[2];
  ASSERT_EQ(pipe(acks), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = GetParam().open(name);
    if (store == nullptr) _exit(1);
    WriteAndAcknowledge(*store, acks[1]);
  }
  close(acks[1]);
  std::vector<Acknowledged> acknowledged;
  Acknowledged done{};
  while (read(acks[0], &done, sizeof done) == sizeof done) {
    acknowledged.push_back(done);
    if (acknowledged.size() == 300) kill(child, SIGKILL);
  }
  close(acks[0]);
  ExpectKilled(child);
  Reopen();
  std::map<uint64_t, std::string> stored;
  for (const v1::Event& event : Events(*store_)) stored[event.id()] = event.text();
  ASSERT_GE(acknowledged.size(), 300u);
  for (const Acknowledged& ack : acknowledged) {
    EXPECT_EQ(stored[ack.id], absl::StrCat("number ", ack.number)) << ack.id;
  }
  EXPECT_EQ(stored.rbegin()->first - stored.begin()->first + 1, stored.size());
  EXPECT_GE(Entries(*store_).size(), stored.size());
  EXPECT_TRUE(AuditIsWhole(*store_));
}

}  // namespace connect_ha
