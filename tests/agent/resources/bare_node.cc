#include "tests/agent/resources/bare_node.h"

#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/probes/installed/runtimes.h"
#include "common/spec/config_checker.h"
#include "common/tls/crypto.h"
#include "tests/fakes/test_ca.h"

namespace connect_ha {
namespace {

constexpr char kGroupAdd[] = "/usr/sbin/groupadd --system --gid 999 -- rstudio-connect";
constexpr char kUserAdd[] =
    "/usr/sbin/useradd --system --uid 999 --gid rstudio-connect --no-create-home --home-dir "
    "/home/rstudio-connect --shell /usr/sbin/nologin -- rstudio-connect";
constexpr char kSimulation[] =
    "/usr/bin/apt-get install -s -y -q --no-install-recommends --allow-change-held-packages "
    "--allow-downgrades --allow-remove-essential ";
constexpr char kPublisher[] = "https://example.com/";

std::string Md5Hex(const std::string& text) {
  unsigned char digest[16];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_md5(), nullptr);
  return Hex(std::string(reinterpret_cast<char*>(digest), sizeof digest));
}

void AddChecksum(const std::string& path, const std::string& content, std::string& md5sums) {
  absl::StrAppend(&md5sums, Md5Hex(content), "  ", path.substr(1), "\n");
}

void AddRuntime(const std::string& version, const v1::Artifact& package,
                google::protobuf::RepeatedPtrField<v1::RuntimeSpec>& list) {
  v1::RuntimeSpec& runtime = *list.Add();
  runtime.set_version(version);
  *runtime.mutable_package() = package;
}

void MakeGroup(FakeHost& machine) { machine.SetGroup("rstudio-connect", 999); }

void MakeUser(FakeHost& machine) {
  UserEntry user;
  user.name = "rstudio-connect";
  user.uid = 999;
  user.gid = 999;
  machine.SetUser(user);
}

}  // namespace

BareNode::BareNode() {
  spdlog::set_level(spdlog::level::off);
  for (const char* directory :
       {kStateDir, "/opt", "/etc/systemd/system", "/var/cache", "/var/lib/dpkg/info",
        "/var/lib/dpkg/updates", kRuntimeDir, kSecretsDirectory}) {
    host.SetDirectory(directory);
  }
  host.SetFile(std::string(kStateDir) + "/ca.crt", kTestCa);
  host.SetFile("/usr/bin/apt-get", "");
  host.SetFile("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n");
  host.SetFile("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
  host.SetFile("/etc/group", "root:x:0:\n");
  host.SetUse("/", {100ull << 30, 50ull << 30, false});
  host.SetCommand(kGroupAdd, {0, false, ""}, MakeGroup);
  host.SetCommand(kUserAdd, {0, false, ""}, MakeUser);
  host.SetService("-/usr/bin/dpkg --force-confold --configure -a", {});
  host.SetService("/usr/bin/apt-get update", {});
  host.SetService("-/usr/bin/apt-get check", {});
  host.SetService("/usr/bin/env --unset=SYSTEMD_OFFLINE systemctl daemon-reload", {});
  gathered.mutable_database();
  FakeDeb dpkg;
  dpkg.name = "dpkg";
  dpkg.version = "1.21";
  SetInstalled(dpkg);
}

void BareNode::WriteStatus(FakeHost& machine) {
  std::string text;
  for (const auto& [name, package] : installed_) {
    absl::StrAppend(&text, "Package: ", name, "\nStatus: ", package.status(),
                    "\nArchitecture: ", package.architecture(), "\nVersion: ", package.version(),
                    "\n\n");
  }
  machine.SetFile("/var/lib/dpkg/status", text);
}

void BareNode::SetInstalled(const FakeDeb& deb, const std::string& status) {
  v1::Package& package = installed_[deb.name];
  package.set_name(deb.name);
  package.set_version(deb.version);
  package.set_architecture(deb.architecture);
  package.set_status(status);
  std::string md5sums;
  std::string list;
  for (const auto& [path, content] : deb.files) {
    host.SetFile(path, content);
    AddChecksum(path, content, md5sums);
    absl::StrAppend(&list, path, "\n");
  }
  host.SetFile(absl::StrCat("/var/lib/dpkg/info/", deb.name, ".md5sums"), md5sums);
  host.SetFile(absl::StrCat("/var/lib/dpkg/info/", deb.name, ".list"), list);
  WriteStatus(host);
}

std::string BareNode::DpkgStatus(const std::string& package) const {
  const auto it = installed_.find(package);
  return it == installed_.end() ? "" : it->second.version() + ", " + it->second.status();
}

void BareNode::ArrangeInstall(const std::string& path, const FakeDeb& deb) {
  FakeServiceCommand install;
  install.exit_code = deb.exit_code;
  install.log = deb.log;
  install.reads = deb.reads;
  install.effect = [this, deb](FakeHost& machine) {
    const bool held = absl::StartsWith(installed_[deb.name].status(), "hold");
    SetInstalled(deb, deb.exit_code == 0 ? (held ? "hold ok installed" : "install ok installed")
                                         : "install ok half-configured");
    if (!deb.starts_connect) return;
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state("inactive");
    machine.SetUnit(unit);
    machine.StartUnit(kUnit);
  };
  const std::string begin = "/usr/bin/apt-get install -y -q --no-remove --no-install-recommends ";
  const std::string end =
      absl::StrCat("-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold ", path);
  for (const char* flags :
       {"", "--reinstall ", "--allow-downgrades ", "--allow-downgrades --reinstall "}) {
    host.SetService(absl::StrCat(begin, flags, end), install);
  }
  FakeServiceCommand hold;
  hold.reads = reads;
  hold.effect = [this, name = deb.name](FakeHost& machine) {
    if (absl::EndsWith(installed_[name].status(), " ok installed")) {
      installed_[name].set_status("hold ok installed");
    }
    WriteStatus(machine);
  };
  host.SetService("/usr/bin/apt-mark hold " + deb.name, hold);
  host.SetService("-/usr/bin/apt-mark hold " + deb.name, hold);
  FakeServiceCommand unhold;
  unhold.reads = reads;
  unhold.effect = [this, name = deb.name](FakeHost& machine) {
    if (absl::EndsWith(installed_[name].status(), " ok installed")) {
      installed_[name].set_status("install ok installed");
    }
    WriteStatus(machine);
  };
  host.SetService("/usr/bin/apt-mark unhold " + deb.name, unhold);
  for (const char* flag : {"", "--reinstall "}) {
    host.SetCommand(absl::StrCat(kSimulation, flag, path),
                    {0, false,
                     absl::StrCat("Reading package lists...\n", deb.simulated, "Inst ", deb.name,
                                  " (", deb.version, " local-deb [", deb.architecture, "])\n")});
  }
}

// dpkg and apt; the files that the package does not know of stay.
void BareNode::ArrangeRemoval(const std::string& package) {
  FakeServiceCommand purge;
  purge.reads = reads;
  purge.effect = [this, package](FakeHost& machine) {
    const std::string info = "/var/lib/dpkg/info/" + package;
    const auto list = machine.ReadFile(info + ".list");
    if (list.ok()) {
      for (const auto line : absl::StrSplit(*list, '\n', absl::SkipEmpty())) {
        machine.Erase(std::string(line));
      }
    }
    machine.Erase(info + ".list");
    machine.Erase(info + ".md5sums");
    installed_.erase(package);
    WriteStatus(machine);
  };
  host.SetService("/usr/bin/dpkg --force-remove-reinstreq --force-hold --purge " + package, purge);
}

void BareNode::SetTrial(v1::RuntimeKind kind, const std::string& version,
                        const CommandResult& result) {
  const std::string executable = RuntimeExecutable(kind, version);
  switch (kind) {
    case v1::R:
      host.SetCommand(executable + " --vanilla -e cat('smoke', 6 * 7, '\\n')", result);
      return;
    case v1::PYTHON:
      host.SetCommand(
          executable +
              " -I -c import subprocess, tempfile, venv; d = tempfile.TemporaryDirectory(); "
              "venv.create(d.name, with_pip=True); "
              "subprocess.run([d.name + '/bin/python', '-m', 'pip', '--version'], check=True)",
          result);
      return;
    default:
      host.SetCommand(executable + " check --quiet", result);
  }
}

v1::Artifact BareNode::Publish(const std::string& file, const FakeDeb& deb) {
  v1::Artifact artifact;
  const std::string content = absl::StrCat("deb ", file, std::string(1000, 'x'));
  artifact.set_url(kPublisher + file);
  artifact.set_sha256(Hex(Sha256(content)));
  host.SetDownload(artifact.url(), {content, {}, absl::OkStatus()});
  const std::string path = absl::StrCat(kCacheDir, "/", artifact.sha256(), ".deb");
  host.SetCommand(absl::StrCat("/usr/bin/dpkg-deb --field ", path,
                               " Package Version Architecture Installed-Size"),
                  {0, false,
                   absl::StrCat("Package: ", deb.name, "\nVersion: ", deb.version,
                                "\nArchitecture: ", deb.architecture, "\nInstalled-Size: 1024\n")});
  std::string md5sums;
  for (const auto& [file_path, text] : deb.files) AddChecksum(file_path, text, md5sums);
  host.SetCommand(absl::StrCat("/usr/bin/dpkg-deb --info ", path, " md5sums"), {0, false, md5sums});
  ArrangeInstall(path, deb);
  ArrangeRemoval(deb.name);
  return artifact;
}

v1::Artifact BareNode::PublishQuarto(const std::string& version) {
  v1::Artifact artifact;
  const std::string content = absl::StrCat("quarto ", version, std::string(1000, 'q'));
  artifact.set_url(absl::StrCat(kPublisher, "quarto-", version, ".tar.gz"));
  artifact.set_sha256(Hex(Sha256(content)));
  host.SetDownload(artifact.url(), {content, {}, absl::OkStatus()});
  const std::string top = absl::StrCat("quarto-", version, "/");
  host.SetArchive(content, {{top},
                            {top + "bin/quarto", "#!quarto " + version, 0755},
                            {top + "share/version", version},
                            {top + "latest", "", 0777, "share/version"}});
  return artifact;
}

v1::Assignment BareNode::FullAssignment() {
  v1::Assignment assignment;
  assignment.set_state(v1::PREPARING);
  v1::Desired& desired = *assignment.mutable_desired();
  desired.set_generation(7);
  v1::ClusterSpec& spec = *desired.mutable_spec();
  spec.set_cluster("lab");
  spec.set_enforcement(v1::ENFORCE);
  (*spec.mutable_accounts())["rstudio-connect"].set_uid(999);
  (*spec.mutable_accounts())["rstudio-connect"].set_gid(999);
  FakeDeb connect{"rstudio-connect", "2024.08.0~ubuntu22"};
  connect.files = {{"/opt/rstudio-connect/bin/connect", "connect 2024.08.0"}};
  connect.starts_connect = true;
  connect.reads = reads;
  spec.mutable_connect()->set_version("2024.08.0");
  *spec.mutable_connect()->mutable_package() = Publish("connect.deb", connect);
  for (const char* version : {"4.3.3", "4.4.1"}) {
    FakeDeb r{absl::StrCat("r-", version), "1"};
    r.reads = reads;
    r.files = {{absl::StrCat("/opt/R/", version, "/bin/R"), absl::StrCat("R ", version)}};
    AddRuntime(version, Publish(absl::StrCat("r-", version, ".deb"), r),
               *spec.mutable_runtimes()->mutable_r());
  }
  FakeDeb python{"python-3.11.9", "1"};
  python.reads = reads;
  python.files = {{"/opt/python/3.11.9/bin/python3", "python 3.11.9"}};
  AddRuntime("3.11.9", Publish("python.deb", python), *spec.mutable_runtimes()->mutable_python());
  v1::RuntimeSpec& quarto = *spec.mutable_runtimes()->add_quarto();
  quarto.set_version("1.5.57");
  *quarto.mutable_archive() = PublishQuarto("1.5.57");
  for (const char* version : {"4.3.3", "4.4.1"}) SetTrial(v1::R, version, {0, false, "smoke 42\n"});
  SetTrial(v1::PYTHON, "3.11.9", {0, false, "pip 24\n"});
  SetTrial(v1::QUARTO, "1.5.57", {0, false, ""});
  spec.mutable_connect()->mutable_license()->set_file("connect.lic");
  desired.set_license("the licence");
  (*spec.mutable_secrets())["db_password"].set_file("/etc/connect-ha/secrets/db");
  FakeFile secret;
  secret.content = "hunter2\n";
  secret.mode = 0600;
  host.SetFile("/etc/connect-ha/secrets/db", secret);
  spec.mutable_connect()->set_config("rstudio-connect.gcfg");
  desired.set_connect_config(
      "[Server]\nAddress = https://${node.name}\n[Postgres]\nPassword = ${secret.db_password}\n");
  return assignment;
}

ConvergeOptions BareNode::Options() const {
  ConvergeOptions options;
  options.node = "node-1";
  options.agent_config.set_connect_unit(kUnit);
  options.agent_config.set_connect_config(kConfigFile);
  options.state_dir = kStateDir;
  options.cache_dir = kCacheDir;
  options.digest_key = std::string(32, 'k');
  options.facts = facts;
  return options;
}

HeldOptions BareNode::Holding() const {
  HeldOptions options;
  options.owner = {"lab", "machine-1", "token-1", "machine-1"};
  options.state_dir = kStateDir;
  options.runtime_dir = kRuntimeDir;
  return options;
}

v1::HeartbeatResponse ToAnswer(const v1::Assignment& assignment) {
  v1::HeartbeatResponse answer;
  answer.set_assigned_state(assignment.state());
  answer.set_assigned_generation(assignment.desired().generation());
  if (assignment.has_desired()) *answer.mutable_desired() = assignment.desired();
  return answer;
}

int BareNode::InstallsOf(const std::string& artifact_sha256) const {
  int count = 0;
  for (const TransientService& service : host.services_started()) {
    for (const std::vector<std::string>& command : service.commands) {
      const std::string line = absl::StrJoin(command, " ");
      if (absl::StartsWith(line, "/usr/bin/apt-get install") &&
          absl::StrContains(line, artifact_sha256)) {
        ++count;
      }
    }
  }
  return count;
}

void TestWatch::Publish(const v1::Convergence& convergence) { published.push_back(convergence); }

bool TestWatch::Wait(std::chrono::milliseconds span) {
  if (span.count() > 0) ++waits_;
  Pass(span);
  return !Stopped();
}

void TestWatch::Pass(std::chrono::milliseconds span) {
  now_ += span;
  host_.Advance(span);
}

std::string Describe(const v1::Convergence& convergence) {
  std::string text = v1::Convergence::State_Name(convergence.state());
  for (const v1::Change& change : convergence.changes()) {
    absl::StrAppend(&text, "\n", change.resource(), ": ", change.from(), " -> ", change.to());
  }
  for (const v1::Trouble& trouble : convergence.troubles()) {
    absl::StrAppend(&text, "\n", trouble.resource(), ": ", trouble.error(), " [", trouble.fix(),
                    "]", trouble.has_retry_at() ? " retry" : "", " ", trouble.log());
  }
  return text;
}

}  // namespace connect_ha
