#include "coordinator/identity/admins.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "coordinator/identity/init.h"

namespace connect_ha {
namespace {

constexpr char kMakeFirstAgain[] =
    "root on the coordinator's host: connect-ha init, then systemctl reload connect-ha-coordinator";

bool MayAll(const v1::AdminRecord& record) {
  return record.role() == v1::ADMIN && !record.has_removed_at();
}

// Its role, or whether it is there at all, was last said then.
Time ChangedAt(const v1::AdminRecord& record) {
  return FromProto(record.has_removed_at() ? record.removed_at() : record.certificates_since());
}

std::string AskAnother(const std::string& name, v1::Role role) {
  return absl::StrCat("; fix: an admin can let you in: connect-ha admin create ", name, " --role ",
                      RoleWord(role), "; where none is left, ", kMakeFirstAgain);
}

absl::Status NobodyLeft(const std::string& name) {
  return absl::FailedPreconditionError(
      absl::StrCat("nobody with the role admin would be left without \"", name,
                   "\"; fix: make another one first: connect-ha admin create NAME --role admin"));
}

absl::Status CheckRequest(const v1::CreateAdminRequest& request) {
  if (absl::Status status = CheckName("admin name", request.name()); !status.ok()) return status;
  if (request.role() == v1::VIEWER || request.role() == v1::OPERATOR ||
      request.role() == v1::ADMIN) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "an admin has a role; fix: give --role viewer, operator or admin");
}

v1::AuditEntry EntryOfInit(const std::string& name, Time now) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(now);
  entry.set_action(v1::AuditEntry::ADMIN_CREATED);
  entry.set_actor("init");
  entry.set_subject(name);
  entry.set_text("role admin");
  return entry;
}

}  // namespace

std::string RoleWord(v1::Role role) { return absl::AsciiStrToLower(v1::Role_Name(role)); }

Admins::Admins(Store& store, const Authority& authority, std::string first)
    : store_(store), authority_(authority), first_(std::move(first)) {}

absl::Status Admins::Load() {
  const auto stored = store_.ListAdmins();
  if (!stored.ok()) return stored.status();
  std::lock_guard lock(mutex_);
  for (const v1::AdminRecord& record : *stored) records_[record.name()] = record;
  return absl::OkStatus();
}

absl::Status Admins::TakeInFirst(bool of_older_release, Time now) {
  std::lock_guard lock(changes_);
  std::string name = kFirstAdmin;
  Time issued{};
  const auto pem = ReadSmallFile(first_);
  if (pem.ok()) {
    const auto certificate = ParseCertificate(*pem);
    if (!certificate.ok() || certificate->identity.role != Role::kAdmin ||
        !VerifySignedBy(*pem, authority_.certificate()).ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          first_, " is not a certificate of an admin of this cluster; fix: remove it, then ",
          kMakeFirstAgain));
    }
    name = certificate->identity.name;
    issued = certificate->not_before + kClockAllowance;
  } else if (!absl::IsNotFound(pem.status())) {
    return pem.status();
  } else if (!of_older_release) {
    if (Nobody()) {
      spdlog::error("event=NO_ADMIN text=\"nobody may ask this coordinator; fix: {}\"",
                    kMakeFirstAgain);
    }
    return absl::OkStatus();
  }
  const auto present = Find(name);
  if (present && (MayAll(*present) || issued <= ChangedAt(*present))) return absl::OkStatus();
  const auto take_in = [&](v1::AdminRecord& record) {
    record.set_role(v1::ADMIN);
    *record.mutable_created_at() = ToProto(now);
    record.set_created_by("init");
    if (!of_older_release) *record.mutable_certificates_since() = ToProto(issued);
    record.clear_removed_at();
    return absl::OkStatus();
  };
  return Put(name, take_in, EntryOfInit(name, now));
}

absl::Status Admins::Check(const Certificate& certificate, v1::Role least) const {
  const std::string& name = certificate.identity.name;
  const auto record = Find(name);
  if (!record) {
    return absl::PermissionDeniedError(
        absl::StrCat("this coordinator knows no admin \"", name, "\"", AskAnother(name, least)));
  }
  if (record->has_removed_at()) {
    return absl::PermissionDeniedError(
        absl::StrCat("admin \"", name, "\" was removed", AskAnother(name, least)));
  }
  if (certificate.not_before + kClockAllowance < FromProto(record->certificates_since())) {
    return absl::PermissionDeniedError(absl::StrCat(
        "this certificate of admin \"", name, "\" is from before it was given a new one",
        "; fix: use the new one (--identity DIR), or have another made: connect-ha admin create ",
        name, " --role ", RoleWord(record->role()), " --replace"));
  }
  if (record->role() >= least) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("this call is for the role ", RoleWord(least), ", admin \"", name, "\" is ",
                   RoleWord(record->role()), "; fix: ask an admin to do it, or for: connect-ha ",
                   "admin create ", name, " --role ", RoleWord(least), " --replace"));
}

v1::Role Admins::RoleOf(const std::string& name) const {
  const auto record = Find(name);
  return record && !record->has_removed_at() ? record->role() : v1::ROLE_UNSPECIFIED;
}

absl::StatusOr<v1::CreateAdminResponse> Admins::Create(const v1::CreateAdminRequest& request,
                                                       v1::AuditEntry entry, Time now) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return status;
  const std::string& name = request.name();
  std::lock_guard lock(changes_);
  const auto present = Find(name);
  const bool live = present && !present->has_removed_at();
  if (live && !request.replace()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "there is an admin \"", name, "\" already; fix: choose another name, or, to give it this ",
        "role and a new certificate in the place of those it has, add --replace"));
  }
  if (request.role() != v1::ADMIN && IsLast(name)) return NobodyLeft(name);
  const auto certificate =
      authority_.Issue({{authority_.cluster(), Role::kAdmin, name}, {}}, request.csr_der(), now);
  if (!certificate.ok()) return certificate.status();
  if (absl::Status status = CloseFirst(name); !status.ok()) return status;
  entry.set_action(live ? v1::AuditEntry::ADMIN_CHANGED : v1::AuditEntry::ADMIN_CREATED);
  entry.set_subject(name);
  entry.set_text(absl::StrCat("role ", RoleWord(request.role()),
                              live ? ", with a new certificate; those before are refused" : ""));
  const auto make = [&](v1::AdminRecord& record) {
    record.set_role(request.role());
    if (!live) {
      *record.mutable_created_at() = ToProto(now);
      record.set_created_by(entry.actor());
    }
    // Certificates know whole seconds.
    *record.mutable_certificates_since() = ToProto(std::chrono::floor<std::chrono::seconds>(now));
    record.clear_removed_at();
    return absl::OkStatus();
  };
  if (absl::Status status = Put(name, make, entry); !status.ok()) return status;
  v1::CreateAdminResponse response;
  response.set_certificate_pem(*certificate);
  return response;
}

absl::Status Admins::Remove(const v1::RemoveAdminRequest& request, v1::AuditEntry entry, Time now) {
  const std::string& name = request.name();
  std::lock_guard lock(changes_);
  const auto present = Find(name);
  if (!present || present->has_removed_at()) {
    return absl::NotFoundError(
        absl::StrCat("no admin \"", name, "\"; fix: list them with: connect-ha admin list"));
  }
  if (IsLast(name)) return NobodyLeft(name);
  if (absl::Status status = CloseFirst(name); !status.ok()) return status;
  entry.set_action(v1::AuditEntry::ADMIN_REMOVED);
  entry.set_subject(name);
  entry.set_text(absl::StrCat("was ", RoleWord(present->role())));
  const auto remove = [&](v1::AdminRecord& record) {
    *record.mutable_removed_at() = ToProto(now);
    return absl::OkStatus();
  };
  return Put(name, remove, entry);
}

absl::StatusOr<v1::ListAdminsResponse> Admins::List() const {
  v1::ListAdminsResponse response;
  std::lock_guard lock(mutex_);
  for (const auto& named : records_) *response.add_admins() = named.second;
  return response;
}

std::optional<v1::AdminRecord> Admins::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = records_.find(name);
  if (found == records_.end()) return std::nullopt;
  return found->second;
}

bool Admins::IsLast(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto others = std::count_if(records_.begin(), records_.end(), [&](const auto& named) {
    return named.first != name && MayAll(named.second);
  });
  const auto own = records_.find(name);
  return others == 0 && own != records_.end() && MayAll(own->second);
}

bool Admins::Nobody() const {
  std::lock_guard lock(mutex_);
  return std::none_of(records_.begin(), records_.end(),
                      [](const auto& named) { return MayAll(named.second); });
}

absl::Status Admins::Put(const std::string& name, const Store::ChangeAdmin& change,
                         const v1::AuditEntry& entry) {
  const auto record = store_.ChangeAdminRecord(name, change, entry);
  if (!record.ok()) return record.status();
  spdlog::info("event={} admin={} role={} by={}", v1::AuditEntry::Action_Name(entry.action()), name,
               RoleWord(record->role()), entry.actor());
  std::lock_guard lock(mutex_);
  records_[name] = *record;
  return absl::OkStatus();
}

absl::Status Admins::CloseFirst(const std::string& name) {
  const auto pem = ReadSmallFile(first_);
  if (absl::IsNotFound(pem.status())) return absl::OkStatus();
  if (!pem.ok()) return pem.status();
  const auto certificate = ParseCertificate(*pem);
  if (certificate.ok() && certificate->identity.name != name) return absl::OkStatus();
  return RemoveFile(first_);
}

}  // namespace connect_ha
