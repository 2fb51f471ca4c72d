// A whole coordinator: its files, store, roster, evaluator and port, put together.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/cluster/backup.h"
#include "coordinator/cluster/balancer/balancer_probe.h"
#include "coordinator/cluster/evaluator.h"
#include "coordinator/cluster/planner.h"
#include "coordinator/cluster/preview_board.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/specs.h"
#include "coordinator/identity/admins.h"
#include "coordinator/identity/authority.h"
#include "coordinator/identity/enrolment.h"
#include "coordinator/identity/init.h"
#include "coordinator/rpc/server.h"
#include "coordinator/rpc/service_caller.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Coordinator {
 public:
  // Loads what `connect-ha init` made below `dir`, opens the store there (store.db) and takes in
  // what it holds, and the first admin where it knows none. Where no specification was applied yet,
  // the file at `spec_path` becomes the first generation: InvalidArgument with every problem, a
  // line each, when it will not do.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Open(const std::string& dir,
                                                           const std::string& spec_path, Time now);
  ~Coordinator();

  // From then on nodes are decided upon, too. Both are host:port. `listen` empty: every address of
  // this machine, the port that nodes call. `enrol_listen` empty: the port beside that of `listen`,
  // which may be 0 for two free ones.
  absl::Status Start(const std::string& listen, const std::string& enrol_listen = "");

  // What is to be done now: evaluation, renewal of the certificate. For one thread, every 200 ms
  // or so. Blocks up to five seconds when the certificate changes.
  void Tick(Time now);

  // Reads the certificate again, and lets in the admin that `connect-ha init` made anew. An error:
  // the file at `spec_path` is not the newest specification, which stays; it says how to apply it.
  absl::Status Reload(Time now);

  // Ends calls and streams, and stores what is not stored yet.
  void Stop(Time now);

  int port() const { return server_->port(); }
  int enrolment_port() const { return server_->enrolment_port(); }
  const std::string& cluster() const { return authority_.cluster(); }
  Roster& roster() { return *roster_; }
  Evaluator& evaluator() { return *evaluator_; }
  Planner& planner() { return *planner_; }
  Server& server() { return *server_; }
  Store& store() { return *store_; }
  Admins& admins() { return *admins_; }

 private:
  Coordinator(std::string dir, std::string spec_path, Authority authority, CoordinatorFiles files,
              std::unique_ptr<Store> store, Time now);
  absl::Status Load(Time now);
  absl::Status LoadAdmins(Time now);
  // Says, once, that this store is new.
  absl::Status BeginAudit(Time now);
  absl::Status ReplaceCertificate();
  void RenewCertificate(Time now);
  // Lets go of entries of the audit log that are old.
  void Tidy(Time now);

  const std::string dir_;
  const std::string spec_path_;
  Authority authority_;
  CoordinatorFiles files_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<Enrolment> enrolment_;
  std::unique_ptr<Admins> admins_;
  std::unique_ptr<Callers> callers_;
  std::unique_ptr<Specs> specs_;
  std::unique_ptr<PreviewBoard> previews_;
  Backup backup_;  // the planner's alone
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<BalancerProbe> balancer_;
  std::unique_ptr<Server> server_;
  Time certificate_checked_at_;
  Time memory_returned_at_{};
};

}  // namespace connect_ha
