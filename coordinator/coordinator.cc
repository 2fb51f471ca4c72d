#include "coordinator/coordinator.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/file.h"
#include "coordinator/store/sqlite_store.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kCertificateCheck{1};
// What people did is kept for so long.
constexpr std::chrono::hours kAuditLife{2 * 365 * 24};
constexpr std::chrono::seconds kMemoryCheck{5};
constexpr std::chrono::milliseconds kReplaceGrace{5000};
constexpr std::chrono::milliseconds kStopGrace{3000};

// The next port of the same address. Port 0, a free one, is no address: it stays, for another.
std::string EnrolmentBeside(const std::string& listen) {
  const auto address = ParseAddress(listen);
  return address.ok() ? FormatAddress(EnrolmentAddress(*address)) : listen;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Open(const std::string& dir,
                                                               const std::string& spec_path,
                                                               Time now) {
  auto authority = LoadAuthority(dir);
  if (!authority.ok()) return authority.status();
  const auto renewed = RenewCoordinatorCertificate(dir, *authority, now);
  if (!renewed.ok()) return renewed.status();
  auto files = LoadCoordinatorFiles(dir);
  if (!files.ok()) return files.status();
  auto store = SqliteStore::Open(dir + "/store.db");
  if (!store.ok()) return store.status();
  std::unique_ptr<Coordinator> coordinator(new Coordinator(
      dir, spec_path, *std::move(authority), *std::move(files), *std::move(store), now));
  const absl::Status loaded = coordinator->Load(now);
  if (!loaded.ok()) return loaded;
  return coordinator;
}

Coordinator::Coordinator(std::string dir, std::string spec_path, Authority authority,
                         CoordinatorFiles files, std::unique_ptr<Store> store, Time now)
    : dir_(std::move(dir)),
      spec_path_(std::move(spec_path)),
      authority_(std::move(authority)),
      files_(std::move(files)),
      store_(std::move(store)),
      roster_(std::make_unique<Roster>(*store_, now)),
      evaluator_(std::make_unique<Evaluator>(*roster_, *store_)),
      enrolment_(
          std::make_unique<Enrolment>(*store_, authority_, files_.address, files_.digest_key)),
      admins_(std::make_unique<Admins>(*store_, authority_, FirstAdminPath(dir_))),
      callers_(std::make_unique<Callers>(authority_.cluster(), *roster_, *admins_, *store_)),
      specs_(std::make_unique<Specs>(authority_.cluster(), *store_, *roster_)),
      previews_(std::make_unique<PreviewBoard>()),
      planner_(std::make_unique<Planner>(*roster_, *evaluator_, *store_)),
      balancer_(std::make_unique<BalancerProbe>(*roster_, AskBalancer)),
      server_(std::make_unique<Server>(Core{*store_, *roster_, *evaluator_, *enrolment_, *admins_,
                                            *callers_, *specs_, *previews_, *planner_})),
      certificate_checked_at_(now) {
  roster_->OnChange([this] { planner_->Wake(); });
  evaluator_->OnJudged([this] { planner_->Wake(); });
  planner_->OnOrder([this](const std::string& node) { server_->Nudge(node); });
  planner_->OnBackup({[this](const v1::BackupRun& run, const v1::ClusterSpec& spec, Time at) {
                        backup_.Ask(run, spec, at);
                      },
                      [this](Time at) { return backup_.Latest(at); }});
}

// Their threads use what is destroyed before them.
Coordinator::~Coordinator() {
  planner_->Stop();
  balancer_->Stop();
}

// Before the first generation is put into the store: while there is none and no node, it is new.
absl::Status Coordinator::LoadAdmins(Time now) {
  const auto newest = store_->GetSpec(0);
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return newest.status();
  const auto nodes = store_->ListNodes();
  if (!nodes.ok()) return nodes.status();
  const bool is_new = !newest.ok() && nodes->empty();
  absl::Status loaded = admins_->Load();
  if (loaded.ok() && is_new) loaded = BeginAudit(now);
  if (!loaded.ok()) return loaded;
  const auto known = admins_->List();
  if (!known.ok()) return known.status();
  const auto audited = store_->NewestAuditId();
  if (!audited.ok()) return audited.status();
  // A store of this release has an entry since its first start, whoever is let in: only where there
  // is none, every certificate of the one admin of release 0.1 is good.
  const bool of_older_release = !is_new && known->admins().empty() && *audited == 0;
  return admins_->TakeInFirst(of_older_release, now);
}

absl::Status Coordinator::BeginAudit(Time now) {
  const auto newest = store_->NewestAuditId();
  if (!newest.ok()) return newest.status();
  const std::string marker = NewClusterPath(dir_);
  if (*newest == 0) {
    const bool new_cluster = FileExists(marker);
    v1::AuditEntry entry;
    *entry.mutable_at() = ToProto(now);
    entry.set_action(new_cluster ? v1::AuditEntry::CLUSTER_MADE : v1::AuditEntry::STORE_MADE);
    entry.set_actor(new_cluster ? "init" : "coordinator");
    entry.set_subject(authority_.cluster());
    entry.set_text(absl::StrCat("store ", store_->lineage(),
                                new_cluster ? ""
                                            : ", made anew: what was done before is not in it, and "
                                              "who was let in or removed is not known"));
    const absl::Status begun = store_->AddAudit(entry);
    if (!begun.ok()) return begun;
  }
  return RemoveFile(marker);
}

absl::Status Coordinator::Load(Time now) {
  absl::Status loaded = LoadAdmins(now);
  if (loaded.ok()) loaded = specs_->Load(spec_path_, now);
  if (loaded.ok()) loaded = roster_->Load();
  if (loaded.ok()) loaded = evaluator_->Load();
  return loaded.ok() ? planner_->Load(now) : loaded;
}

absl::Status Coordinator::Start(const std::string& listen, const std::string& enrol_listen) {
  std::string address = listen;
  if (address.empty()) {
    const auto called = ParseAddress(files_.address);
    if (!called.ok()) return called.status();
    address = absl::StrCat("[::]:", called->port);
  }
  const absl::Status started =
      server_->Start(address, enrol_listen.empty() ? EnrolmentBeside(address) : enrol_listen,
                     {files_.certificate, files_.key, files_.ca});
  if (!started.ok()) return started;
  planner_->Start();
  balancer_->Start();
  return started;
}

void Coordinator::Tick(Time now) {
  evaluator_->Tick(now);
  if (now - certificate_checked_at_ >= kCertificateCheck) {
    certificate_checked_at_ = now;
    RenewCertificate(now);
    Tidy(now);
  }
  if (now - memory_returned_at_ >= kMemoryCheck) {
    memory_returned_at_ = now;
    server_->ReturnMemory();
  }
}

void Coordinator::Tidy(Time now) {
  const absl::Status tidied = store_->PruneAudit(now - kAuditLife);
  if (!tidied.ok()) spdlog::error("cannot tidy the store: {}", std::string(tidied.message()));
}

void Coordinator::RenewCertificate(Time now) {
  absl::Status status = RenewCoordinatorCertificate(dir_, authority_, now).status();
  if (status.ok()) status = ReplaceCertificate();
  if (!status.ok()) {
    spdlog::error("cannot renew the coordinator's certificate: {}", std::string(status.message()));
  }
}

absl::Status Coordinator::ReplaceCertificate() {
  auto files = LoadCoordinatorFiles(dir_);
  if (!files.ok()) return files.status();
  if (files->certificate == files_.certificate && files->key == files_.key) {
    return absl::OkStatus();
  }
  absl::Status replaced =
      server_->Replace({files->certificate, files->key, files->ca}, kReplaceGrace);
  if (!replaced.ok()) return replaced;
  files_ = *std::move(files);
  spdlog::info("the coordinator presents a new certificate");
  return absl::OkStatus();
}

absl::Status Coordinator::Reload(Time now) {
  RenewCertificate(now);
  const absl::Status first = admins_->TakeInFirst(/*of_older_release=*/false, now);
  return first.ok() ? specs_->Compare(spec_path_) : first;
}

void Coordinator::Stop(Time now) {
  server_->Stop(kStopGrace);
  planner_->Stop();
  balancer_->Stop();
  evaluator_->Save(now);
}

}  // namespace connect_ha
