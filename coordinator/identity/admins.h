// Who may ask and order the coordinator: one record in the store for each admin, and the same in
// memory, where each call is checked. Knows nothing of gRPC. All calls may be made from any thread.
// Messages of errors are for the caller, with what to type.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/audit.pb.h"
#include "coordinator/identity/authority.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Admins {
 public:
  // `first`: the file with the certificate of the admin that `connect-ha init` made (init.h).
  // Borrows store and authority.
  Admins(Store& store, const Authority& authority, std::string first);

  // Takes the records from the store. Before anything else.
  absl::Status Load();

  // Lets the admin of `first` in, when nobody changed its record after that certificate was issued:
  // at the start of a cluster, where the store was lost, and where root ran init again because
  // nobody else was left. Certificates from before that one are refused. Nothing is done where
  // there is no such file. `of_older_release`: the store is of a release that kept no admins; then
  // its one admin is let in with whatever certificates it has. At each start and reload.
  absl::Status TakeInFirst(bool of_older_release, Time now);

  // OK when this certificate of an admin still stands and its role is enough; else
  // PermissionDenied. For every call of an admin, Renew included.
  absl::Status Check(const Certificate& certificate, v1::Role least) const;

  // That it has now; ROLE_UNSPECIFIED: it is not known, or was removed.
  v1::Role RoleOf(const std::string& name) const;

  // `entry` says who does it, from where, when and why; the rest is filled in. Both fail with
  // FailedPrecondition where nobody with the role admin would be left.
  absl::StatusOr<v1::CreateAdminResponse> Create(const v1::CreateAdminRequest& request,
                                                 v1::AuditEntry entry, Time now);
  absl::Status Remove(const v1::RemoveAdminRequest& request, v1::AuditEntry entry, Time now);
  absl::StatusOr<v1::ListAdminsResponse> List() const;

 private:
  std::optional<v1::AdminRecord> Find(const std::string& name) const;
  // Whether it is the one that is left with the role admin.
  bool IsLast(const std::string& name) const;
  bool Nobody() const;
  absl::Status Put(const std::string& name, const Store::ChangeAdmin& change,
                   const v1::AuditEntry& entry);
  // `first` is no way in any more, once it is this admin's.
  absl::Status CloseFirst(const std::string& name);

  Store& store_;
  const Authority& authority_;
  const std::string first_;
  std::mutex changes_;  // one change at a time: it looks at several records
  mutable std::mutex mutex_;
  std::map<std::string, v1::AdminRecord> records_;
};

// "viewer", "operator", "admin"
std::string RoleWord(v1::Role role);

}  // namespace connect_ha
