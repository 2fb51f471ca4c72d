#include "agent/proof/presence.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/database/database_target.h"
#include "agent/probes/database/held_session.h"
#include "common/backoff.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/connect/connect_redaction.h"
#include "common/proof/presence_key.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kMostKeys = 1024;
// How many rounds a key that is no longer seen is still reported: its node notices by then that its
// session has ended, and says so, before others say that they do not see it.
constexpr int kRoundsRemembered = 2;

constexpr char kProcessQuery[] = "SELECT pg_backend_pid()";
constexpr char kUnlockQuery[] = "SELECT pg_advisory_unlock_all()";
// The server ends a session whose node has gone without a word: until then its lock would keep the
// node from holding it anew. idle_session_timeout is PostgreSQL 14's; ours is asked more often.
constexpr char kSettings[] = R"(
SELECT set_config('statement_timeout', '5000', false),
       set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false),
       (SELECT set_config(name, '120000', false)
          FROM pg_settings WHERE name = 'idle_session_timeout'))";

// pg_try_advisory_lock takes signed numbers, pg_locks shows their bits as an oid.
std::string LockQuery(uint32_t key_class, uint32_t key) {
  return absl::StrCat("SELECT pg_try_advisory_lock('", static_cast<int32_t>(key_class),
                      "'::int4, '", static_cast<int32_t>(key), "'::int4)");
}

// This session's own first: whoever may connect to the database can hold a thousand.
std::string SeenQuery(uint32_t key_class) {
  return absl::StrCat(
      "SELECT l.objid, l.pid = pg_backend_pid() FROM pg_locks l"
      " WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted"
      " AND l.mode = 'ExclusiveLock' AND l.classid = '",
      key_class,
      "'::oid AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
      " ORDER BY l.pid <> pg_backend_pid(), l.objid LIMIT ",
      kMostKeys);
}

// A key is remembered for a minute or so.
uint32_t AgeMs(Clock::time_point seen, Clock::time_point now) {
  return static_cast<uint32_t>(std::chrono::duration_cast<milliseconds>(now - seen).count());
}

// What a session is of: with another it is begun anew. Holds secrets.
struct Wanted {
  std::string cluster;
  std::string node;
  std::string url;
  std::string password;  // as it is configured
  std::string ca_file;
  bool operator==(const Wanted&) const = default;
};

class Presence : public ProofRounds {
 public:
  Presence(ProofContext context, const PresencePaces& paces)
      : context_(context), paces_(paces), backoff_(paces.quick, paces.steady) {}

  milliseconds Pace() const override {
    if (session_ == nullptr) return wait_;
    return Clock::now() - held_since_ < 2 * paces_.steady ? paces_.quick : paces_.steady;
  }

  bool Run(const ProofOrder& order) override {
    if (!order.database || order.config == nullptr || !UsesPostgres(*order.config)) {
      Drop();
      wait_ = paces_.steady;  // with nothing to do, too
      return Keep(std::nullopt);
    }
    Wanted wanted = {order.cluster, order.node,
                     order.config->Get("Postgres", kMainDatabase.url).value_or(""),
                     order.config->Get("Postgres", kMainDatabase.password).value_or(""),
                     context_.agent_config.database_ca_file()};
    if (!(wanted == wanted_)) {
      Drop();
      backoff_.Reset();
      next_try_ = {};
      place_.Clear();
      wanted_ = std::move(wanted);
    }
    return Round(*order.config);
  }

  void Stop() override {
    Drop();
    wanted_ = {};
    Keep(std::nullopt);
  }

 private:
  // A session that has ended is begun anew at once: its server may be back already.
  bool Round(const ConnectConfig& config) {
    v1::PresenceFacts facts;
    absl::Status status = absl::UnavailableError("");
    if (session_ != nullptr) {
      status = Renew(config);
      if (status.ok()) status = Look(facts);
    }
    if (!status.ok()) {
      Drop();
      if (Clock::now() < next_try_) return false;
      facts.Clear();
      status = Begin(config, facts);
      if (status.ok()) status = Look(facts);
    }
    facts.set_host(place_.host());
    facts.set_port(place_.port());
    facts.set_database(place_.database());
    facts.set_own_key(OwnKey());
    if (status.ok()) {
      backoff_.Reset();
    } else {
      Drop();
      facts.clear_seen_keys();
      facts.clear_seen_ages_ms();
      facts.set_error(std::string(status.message()));
      wait_ = backoff_.Next();
      next_try_ = Clock::now() + wait_;
    }
    return Keep(std::move(facts));
  }

  absl::Status Begin(const ConnectConfig& config, v1::PresenceFacts& facts) {
    auto session = Open(config, facts);
    if (!session.ok()) return session.status();
    session_ = *std::move(session);
    absl::Status held = Hold();
    if (!held.ok()) return held;
    held_since_ = Clock::now();
    last_seen_.clear();
    return absl::OkStatus();
  }

  // Through a pooler nothing is set and nothing locked: both would stay behind with a process that
  // serves others next.
  absl::StatusOr<std::unique_ptr<HeldSession>> Open(const ConnectConfig& config,
                                                    v1::PresenceFacts& facts) {
    const absl::StatusOr<DatabaseTarget> target = FindDatabaseTarget(
        context_.host, context_.agent_config, config, kMainDatabase, context_.cache, "presence");
    if (!target.ok()) return target.status();
    place_.set_host(RedactPasswords(target->url.host).text);
    place_.set_port(target->url.port);
    place_.set_database(RedactPasswords(target->url.database).text);
    auto session = HeldSession::Open(*target);
    if (!session.ok()) return session.status();
    for (int transaction = 0; transaction < 2; ++transaction) {
      const auto process = Ask(**session, kProcessQuery);
      if (!process.ok()) return process.status();
      if (*process == absl::StrCat((*session)->process())) continue;
      facts.set_shared_session(true);
      return absl::FailedPreconditionError(
          "another process answers than the one that the login named");
    }
    return session;
  }

  // By session_, which was opened for it.
  absl::Status Hold() {
    opened_ = Clock::now();
    const auto set = Ask(*session_, kSettings);
    if (!set.ok()) return set.status();
    const auto locked = Ask(*session_, LockQuery(PresenceClass(wanted_.cluster), OwnKey()));
    if (!locked.ok()) return locked.status();
    if (*locked == "t") return absl::OkStatus();
    return absl::UnavailableError(kLockIsHeld);
  }

  // The lock goes over to a session that is opened now. Where there is none to be had, the one that
  // holds it goes on.
  absl::Status Renew(const ConnectConfig& config) {
    if (Clock::now() - opened_ < paces_.renew) return absl::OkStatus();
    opened_ = Clock::now();  // what fails is not tried in each round
    v1::PresenceFacts unused;
    auto next = Open(config, unused);
    // A pooler, by now.
    if (absl::IsFailedPrecondition(next.status())) return next.status();
    if (!next.ok()) return absl::OkStatus();
    const auto unlocked = Ask(*session_, kUnlockQuery);
    if (!unlocked.ok()) return unlocked.status();
    session_ = *std::move(next);
    return Hold();
  }

  // The first value of the first row.
  absl::StatusOr<std::string> Ask(HeldSession& session, const std::string& sql) const {
    const auto rows = session.Ask(sql, paces_.ask_within);
    if (!rows.ok()) return rows.status();
    if (rows->empty() || rows->front().empty()) return absl::UnavailableError("an empty answer");
    return rows->front().front();
  }

  absl::Status Look(v1::PresenceFacts& facts) {
    const auto rows = session_->Ask(SeenQuery(PresenceClass(wanted_.cluster)), paces_.ask_within);
    if (!rows.ok()) return rows.status();
    const Clock::time_point now = Clock::now();
    bool own = false;
    for (const HeldSession::Row& row : *rows) {
      uint32_t key = 0;
      if (row.size() != 2 || !absl::SimpleAtoi(row[0], &key)) continue;
      last_seen_[key] = now;
      own = own || (key == OwnKey() && row[1] == "t");
    }
    if (!own) return absl::UnavailableError("the lock is gone, though the session is not");
    const auto remembered = kRoundsRemembered * paces_.steady + paces_.steady / 2;
    for (auto it = last_seen_.begin(); it != last_seen_.end();) {
      it = now - it->second > remembered ? last_seen_.erase(it) : std::next(it);
    }
    for (const auto& one : last_seen_) {
      if (facts.seen_keys_size() == static_cast<int>(kMostKeys)) break;
      facts.add_seen_keys(one.first);
      facts.add_seen_ages_ms(AgeMs(one.second, now));
    }
    context_.cache.presence_looked_at.Put(now);
    const auto rounds = (now - held_since_) / paces_.steady + 1;
    facts.set_rounds(static_cast<uint32_t>(std::min<int64_t>(rounds, kSettledRounds)));
    return absl::OkStatus();
  }

  uint32_t OwnKey() const { return PresenceKey(wanted_.cluster, wanted_.node); }

  void Drop() { session_.reset(); }

  // True: it is other than before.
  bool Keep(std::optional<v1::PresenceFacts> facts) {
    std::string text;
    if (facts) {
      v1::PresenceFacts lasting = *facts;
      lasting.clear_seen_ages_ms();
      text = absl::StrCat("+", lasting.SerializeAsString());
    }
    context_.cache.presence.Put(std::move(facts));
    return std::exchange(kept_, text) != text;
  }

  const ProofContext context_;
  const PresencePaces paces_;
  Wanted wanted_;
  v1::PresenceFacts place_;  // host, port and database alone
  std::unique_ptr<HeldSession> session_;
  Clock::time_point opened_{};                       // the session; or another was tried in vain
  Clock::time_point held_since_{};                   // the lock, by one session after the other
  std::map<uint32_t, Clock::time_point> last_seen_;  // by key, while the lock is held
  Backoff backoff_;                                  // without a session
  milliseconds wait_{0};
  Clock::time_point next_try_{};
  std::string kept_;  // of what the cache has; "": nothing
};

}  // namespace

std::unique_ptr<ProofRounds> MakePresence(ProofContext context, const PresencePaces& paces) {
  return std::make_unique<Presence>(context, paces);
}

}  // namespace connect_ha
