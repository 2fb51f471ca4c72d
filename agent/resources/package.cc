#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/network/fetch_url.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/install/apt_lists.h"
#include "agent/resources/install/download.h"
#include "agent/resources/install/hold_record.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/install/other_packages.h"
#include "agent/resources/install/package_file.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/install/package_record.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "common/text/shell_word.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kInstallRoot[] = "/opt";
constexpr char kSuffix[] = "deb";

// dpkg's three words: "hold ok installed", "install reinstreq half-installed".
struct DpkgStatus {
  bool held = false;
  bool broken = false;  // must be installed again
  std::string state;
};

DpkgStatus ParseStatus(const v1::Package& package) {
  const std::vector<std::string> words = absl::StrSplit(package.status(), ' ');
  DpkgStatus status;
  if (words.size() != 3) return status;
  status.held = IsOnHold(package);
  status.broken = words[1] != "ok" || words[2] == "half-installed";
  status.state = words[2];
  return status;
}

class Package : public Resource {
 public:
  Package(const ResourceContext& context, PackageWanted wanted)
      : context_(context), wanted_(std::move(wanted)) {}

  std::string Name() const override { return "package " + wanted_.name; }

  // One that is unfinished goes first, as apt fails beside it.
  std::vector<std::string> After() override {
    std::vector<std::string> after = wanted_.after;
    const auto database = ReadPackages(context_.host, context_.cache);
    if (!database.ok()) return after;
    const auto unfinished = [&](const std::string& name) {
      const v1::Package* package = (*database)->Find(name);
      return package != nullptr && IsUnfinished(*package);
    };
    bool is_earlier = true;
    for (const std::string& name : NamedPackages(context_.desired.spec())) {
      if (name == wanted_.name) {
        is_earlier = false;
      } else if (unfinished(name) && (is_earlier || !unfinished(wanted_.name))) {
        after.push_back("package " + name);
      }
    }
    return after;
  }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<Stand> stand = Look();
    if (!stand.ok()) return stand.status();
    if (stand->fault.empty()) return std::nullopt;
    std::string others;
    if (stand->need == Need::kInstall) {
      const absl::StatusOr<std::string> foreseen = ForeseeOthers();
      if (!foreseen.ok()) return foreseen.status();
      others = *foreseen;
    }
    v1::Change change;
    change.set_from(stand->fault);
    change.set_to(
        absl::StrCat(wanted_.version.empty() ? "installed" : wanted_.version, ", held", others));
    // To hold a package, or to find out of which build it is, stops nothing.
    if (stand->need == Need::kInstall) change.set_interrupts(wanted_.interrupts);
    if (IsConnect()) change.set_needs(stand->takes);
    return change;
  }

  absl::StatusOr<Brought> Bring(Progress& progress) override {
    const absl::StatusOr<Stand> stand = Look();
    if (!stand.ok()) return stand.status();
    if (stand->fault.empty() || stand->need == Need::kHold) return Brought();
    const absl::StatusOr<std::string> file = Fetch(progress);
    if (!file.ok()) return file.status();
    const absl::StatusOr<PackageClaims> claims = ReadPackageFile(context_.host, *file);
    if (!claims.ok()) return claims.status();
    Brought brought{{*file}, kInstallRoot, claims->installed_bytes};
    if (stand->need == Need::kProof) return brought;
    const absl::StatusOr<AptInstall> install = ToInstall(*file);
    if (!install.ok()) return install.status();
    const absl::StatusOr<std::vector<std::string>> others =
        FetchOthers(context_, *install, wanted_.artifact.sha256(), progress);
    if (!others.ok()) return others.status();
    brought.files.insert(brought.files.end(), others->begin(), others->end());
    return brought;
  }

  absl::Status Apply(Progress& progress) override {
    absl::Status may = CheckMayInstall(context_, false);
    if (!may.ok()) return may;
    Installation installation;
    installation.touches_connect = IsConnect();
    installation.service = InstallerService("install", wanted_.artifact.sha256());
    installation.description =
        absl::StrCat("install ", wanted_.name, wanted_.version.empty() ? "" : " ", wanted_.version);
    const absl::StatusOr<bool> under_way = IsUnderWay(context_, installation.service);
    if (!under_way.ok()) return under_way.status();
    if (!*under_way) return Begin(installation, progress);
    return Record(Install(context_, installation, progress));
  }

 private:
  enum class Need { kInstall, kProof, kHold };

  bool IsConnect() const { return wanted_.name == kConnectPackage; }

  // What is wrong, "" when nothing is, and what mends it.
  struct Stand {
    std::string fault;
    Need need = Need::kInstall;
    v1::Change::Needs takes = v1::Change::RESTART;  // of Connect's own package
  };

  absl::StatusOr<Stand> Look() {
    const auto database = ReadPackages(context_.host, context_.cache);
    if (!database.ok()) return database.status();
    const v1::Package* package = (*database)->Find(wanted_.name);
    if (package == nullptr) return Stand{"absent", Need::kInstall, v1::Change::NOTHING};
    const std::string& version = package->version();
    if (!wanted_.version.empty() && !SameVersion(version, wanted_.version)) {
      absl::Status allowed = CheckDowngrade(*package);
      if (!allowed.ok()) return allowed;
      return Stand{version, Need::kInstall, v1::Change::TOGETHER};
    }
    const DpkgStatus status = ParseStatus(*package);
    if (status.state != "installed" || status.broken) {
      return Stand{absl::StrCat(version, ", ", status.state)};
    }
    const absl::StatusOr<std::string> artifact = RecordedArtifact(context_, wanted_.name);
    if (!artifact.ok()) return artifact.status();
    if (!artifact->empty() && *artifact != absl::AsciiStrToLower(wanted_.artifact.sha256())) {
      return Stand{absl::StrCat(version, ", another build")};
    }
    const absl::StatusOr<v1::Integrity> integrity = context_.integrity.OfPackage(*package);
    if (!integrity.ok()) return integrity.status();
    const std::string faults = DescribeFaults(*integrity);
    if (!faults.empty()) return Stand{absl::StrCat(version, ", ", faults)};
    // Somebody else installed it, or the agent was killed before it wrote down what it had done.
    if (artifact->empty()) {
      return Stand{version + ", of a build that is not known", Need::kProof, v1::Change::NOTHING};
    }
    if (!status.held) return Stand{version + ", not held", Need::kHold, v1::Change::NOTHING};
    return Stand{};
  }

  // Newer than the specification's, and this agent itself has put it in the place of one that is no
  // newer: a specification that asks for that again means it. Whether the database takes an older
  // one the coordinator knows, which has no such generation taken else, and the preflight.
  bool MayComeBack(const v1::Package& package) const {
    if (!IsConnect() || context_.notes == nullptr) return false;
    if (CompareVersions(package.version(), wanted_.version) <= 0) return false;
    const v1::ServiceMemory memory = context_.notes->Get();
    return !memory.replaced_version().empty() &&
           SameVersion(package.version(), memory.replaced_by()) &&
           CompareVersions(wanted_.version, memory.replaced_version()) >= 0;
  }

  absl::Status CheckDowngrade(const v1::Package& package) const {
    if (wanted_.allow_downgrade || MayComeBack(package) ||
        CompareVersions(package.version(), wanted_.version) < 0) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(absl::StrCat(
        wanted_.name, " ", package.version(), " is installed and newer than the specification's ",
        wanted_.version, "\nfix: connect.version: ", PlainVersion(package.version()),
        ", or connect.allow_downgrade: true"));
  }

  absl::Status Begin(Installation& installation, Progress& progress) {
    const absl::StatusOr<Stand> stand = Look();
    if (!stand.ok()) return stand.status();
    if (stand->need == Need::kHold) return Hold(installation, progress);
    const absl::StatusOr<std::string> file = Fetch(progress);
    if (!file.ok()) return file.status();
    if (stand->need == Need::kProof) {
      const absl::StatusOr<bool> same = IsBuildOf(context_, wanted_.name, *file);
      if (!same.ok()) return same.status();
      if (*same) return Record(Hold(installation, progress));
      if (IsConnect() && context_.service.leaves_connect) {
        return absl::FailedPreconditionError(absl::StrCat(
            wanted_.name,
            " is installed from another build than the specification's, and Connect "
            "must be stopped to install that\nfix: name the build that is installed, or take the "
            "node out of service: connect-ha node drain ",
            ShellOperand(context_.node), " --reason TEXT"));
      }
    }
    return InstallFile(*file, installation, progress);
  }

  absl::Status Hold(Installation& installation, Progress& progress) {
    absl::Status noted = NoteHold(context_, wanted_.name);
    if (!noted.ok()) return noted;
    installation.service = InstallerService("hold", wanted_.artifact.sha256());
    installation.touches_connect = false;
    installation.commands = {AptHold(wanted_.name)};
    return Install(context_, installation, progress);
  }

  // The file of the artifact, which is what the specification takes it for.
  absl::StatusOr<std::string> Fetch(Progress& progress) {
    absl::StatusOr<std::string> file = Download(context_, wanted_.artifact, kSuffix, progress);
    if (!file.ok()) return file;
    const absl::StatusOr<PackageClaims> claims = ReadPackageFile(context_.host, *file);
    if (!claims.ok()) {
      return absl::Status(claims.status().code(), absl::StrCat(ShownUrl(wanted_.artifact.url()),
                                                               " ", claims.status().message()));
    }
    absl::Status right = CheckClaims(context_, wanted_, *claims);
    if (right.ok()) {
      right = CheckRoom(context_.host, kInstallRoot, claims->installed_bytes, Name());
    }
    if (!right.ok()) return right;
    return file;
  }

  absl::StatusOr<AptInstall> ToInstall(const std::string& file) {
    const auto database = ReadPackages(context_.host, context_.cache);
    if (!database.ok()) return database.status();
    const v1::Package* package = (*database)->Find(wanted_.name);
    AptInstall install;
    install.package = wanted_.name;
    install.file = file;
    install.reinstall = package != nullptr;
    install.held = package != nullptr && IsOnHold(*package);
    // An R or Python of this name has the version that is wanted, whatever its packaging's is.
    install.downgrade = wanted_.allow_downgrade || wanted_.version.empty() ||
                        (package != nullptr && MayComeBack(*package));
    return install;
  }

  // What else its installation would change, where its file is here already and apt can tell. An
  // error: something that it may not.
  absl::StatusOr<std::string> ForeseeOthers() {
    const std::string file = CachedPath(context_, wanted_.artifact, kSuffix);
    if (!context_.host.LStat(file).ok()) return std::string();
    const absl::StatusOr<AptInstall> install = ToInstall(file);
    if (!install.ok()) return install.status();
    const absl::StatusOr<OtherPackages> others = SimulateInstall(context_, *install);
    // Apt sees no way while its lists are too old: they are renewed, and it is asked again.
    if (absl::IsFailedPrecondition(others.status())) return std::string();
    if (!others.ok()) return others.status();
    absl::Status allowed = CheckOthers(*others, wanted_.name);
    if (!allowed.ok()) return allowed;
    return DescribeOthers(*others);
  }

  absl::Status InstallFile(const std::string& file, Installation& installation,
                           Progress& progress) {
    const absl::StatusOr<AptInstall> install = ToInstall(file);
    if (!install.ok()) return install.status();
    const absl::StatusOr<std::string> foreseen = ForeseeOthers();
    if (!foreseen.ok()) return foreseen.status();
    absl::Status begun = NoteHold(context_, wanted_.name);
    if (begun.ok()) begun = RecordBegun(context_, wanted_.name);
    if (begun.ok()) begun = NoteReplaced();
    if (!begun.ok()) return begun;
    return Record(InstallWithLists(*install, installation, progress));
  }

  // What was right with the Connect before this one is forgotten, and which one that was is kept.
  absl::Status NoteReplaced() {
    if (!IsConnect() || context_.notes == nullptr) return absl::OkStatus();
    const auto database = ReadPackages(context_.host, context_.cache);
    if (!database.ok()) return database.status();
    const v1::Package* package = (*database)->Find(wanted_.name);
    const std::string before = package == nullptr ? "" : PlainVersion(package->version());
    return context_.notes->Change([this, &before](v1::ServiceMemory& memory) {
      memory.clear_right_version();
      memory.clear_right_migration();
      // The same again, or the agent was killed meanwhile.
      if (!before.empty() && SameVersion(before, wanted_.version)) return;
      const bool is_newer = !before.empty() && CompareVersions(before, wanted_.version) < 0;
      memory.set_replaced_by(is_newer ? wanted_.version : "");
      memory.set_replaced_version(is_newer ? before : "");
    });
  }

  absl::Status Record(const absl::Status& installed) {
    if (!installed.ok()) return installed;
    return RecordArtifact(context_, wanted_.name, wanted_.artifact.sha256());
  }

  // apt's lists of a fresh image are old or not there: they are renewed when they are in the way,
  // and only then, so that a node without a mirror installs what needs none.
  absl::Status InstallWithLists(const AptInstall& install, Installation& installation,
                                Progress& progress) {
    const absl::StatusOr<std::vector<std::vector<std::string>>> commands =
        AptCommands(context_, install);
    if (!commands.ok()) return commands.status();
    installation.commands = *commands;
    installation.at_end = AptAtEnd(install);
    absl::Status installed = Install(context_, installation, progress);
    if (!absl::IsNotFound(installed)) return installed;
    installed = RenewLists(context_, wanted_.name, wanted_.artifact.sha256(), progress);
    if (installed.ok()) {
      // By the new lists, which may have apt do something else to other packages.
      const absl::StatusOr<std::string> foreseen = ForeseeOthers();
      if (!foreseen.ok()) return foreseen.status();
      installed = Install(context_, installation, progress);
    }
    return NeedsMirror(installed, wanted_.name);
  }

  const ResourceContext& context_;
  const PackageWanted wanted_;
};

}  // namespace

std::unique_ptr<Resource> MakePackage(const ResourceContext& context, PackageWanted wanted) {
  return std::make_unique<Package>(context, std::move(wanted));
}

}  // namespace connect_ha
