// Packages that this agent began to install for an older specification, that never came to be
// installed, and that the newer one does not name: they would fail again beside every other
// package.
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/install/package_record.h"
#include "agent/resources/nouns.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

class Leftovers : public Resource {
 public:
  explicit Leftovers(const ResourceContext& context) : context_(context) {}

  std::string Name() const override { return "packages of older specifications"; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::vector<const v1::Package*>> left = Look();
    if (!left.ok()) return left.status();
    if (left->empty()) return std::nullopt;
    v1::Change change;
    change.set_from(absl::StrJoin(*left, "; ", [](std::string* out, const v1::Package* package) {
      absl::StrAppend(out, package->name(), " ", package->version(), ", ", package->status());
    }));
    change.set_to("removed");
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    const absl::StatusOr<std::vector<const v1::Package*>> left = Look();
    if (!left.ok()) return left.status();
    std::vector<std::string> names;
    for (const v1::Package* package : *left) names.push_back(package->name());
    for (const std::string& name : names) {
      absl::Status removed = Remove(name, progress);
      if (!removed.ok()) return removed;
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::vector<const v1::Package*>> Look() {
    std::vector<const v1::Package*> left;
    const absl::StatusOr<std::vector<std::string>> recorded = RecordedPackages(context_);
    if (!recorded.ok()) return recorded.status();
    const auto database = ReadPackages(context_.host, context_.cache);
    if (absl::IsNotFound(database.status())) return left;
    if (!database.ok()) return database.status();
    database_ = *database;
    // Connect is always among these: its data would go with it.
    const std::vector<std::string> names = NamedPackages(context_.desired.spec());
    std::set<std::string> named(names.begin(), names.end());
    if (context_.beside != nullptr) {
      for (std::string& name : NamedPackages(*context_.beside)) named.insert(std::move(name));
    }
    for (const std::string& name : *recorded) {
      const v1::Package* package = named.count(name) > 0 ? nullptr : database_->Find(name);
      if (package == nullptr || absl::EndsWith(package->status(), " ok installed") ||
          absl::EndsWith(package->status(), " config-files")) {
        continue;
      }
      left.push_back(package);
    }
    return left;
  }

  absl::Status Remove(const std::string& name, Progress& progress) {
    progress.Enter(v1::Step::REMOVING);
    Installation removal;
    removal.service = InstallerService("purge", Hex(Sha256(name)));
    removal.description = "remove " + name;
    removal.commands = Purge(name);
    removal.touches_connect = false;
    return Install(context_, removal, progress);
  }

  const ResourceContext& context_;
  std::shared_ptr<const PackageDatabase> database_;  // what Look's result points into
};

}  // namespace

std::unique_ptr<Resource> MakeLeftovers(const ResourceContext& context) {
  return std::make_unique<Leftovers>(context);
}

}  // namespace connect_ha
