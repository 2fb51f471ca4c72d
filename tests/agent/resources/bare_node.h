// A machine with nothing but apt, and a world of artifacts for it: what the resources' tests start
// from. Its apt is arranged from what is published, and keeps dpkg's files as dpkg does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/assignment/held.h"
#include "agent/resources/converge/converge.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {

inline constexpr char kStateDir[] = "/var/lib/connect-ha-agent";
inline constexpr char kCacheDir[] = "/var/cache/connect-ha-agent";
inline constexpr char kRuntimeDir[] = "/run/connect-ha-agent";
inline constexpr char kUnit[] = "rstudio-connect.service";
inline constexpr char kConfigFile[] = "/etc/rstudio-connect/rstudio-connect.gcfg";

// A .deb as it is published.
struct FakeDeb {
  std::string name;
  std::string version;
  std::string architecture = "amd64";
  std::map<std::string, std::string> files;
  bool starts_connect = false;  // its script tries to, as Connect's own does
  // Of the installation: what its script does.
  int exit_code = 0;
  std::string log;
  int reads = 1;
  std::string simulated;  // what apt-get -s prints of other packages
};

class BareNode {
 public:
  BareNode();

  // `file`: the end of its URL. The artifact that a specification names for it.
  v1::Artifact Publish(const std::string& file, const FakeDeb& deb);
  v1::Artifact PublishQuarto(const std::string& version);
  // What the smoke run of a runtime comes to.
  void SetTrial(v1::RuntimeKind kind, const std::string& version, const CommandResult& result);

  // Two R, a Python, a Quarto, Connect, an account, a licence and a configuration with a secret.
  v1::Assignment FullAssignment();
  ConvergeOptions Options() const;
  // Of cluster "lab".
  HeldOptions Holding() const;

  // dpkg's database.
  void SetInstalled(const FakeDeb& deb, const std::string& status = "install ok installed");
  std::string DpkgStatus(const std::string& package) const;
  // Of install, not of hold: the services that ran apt-get install.
  int InstallsOf(const std::string& artifact_sha256) const;

  FakeHost host;
  // How often the services of FullAssignment are found running.
  int reads = 1;
  // What an agent that starts from now on has gathered: `gathered`, as it is then. No content is
  // pinned to anything, and that is known.
  std::function<v1::Facts()> facts = [this] { return gathered; };
  v1::Facts gathered;

 private:
  void ArrangeInstall(const std::string& path, const FakeDeb& deb);
  void ArrangeRemoval(const std::string& package);
  void WriteStatus(FakeHost& machine);

  std::map<std::string, v1::Package> installed_;
};

// Lets time pass at once; stops when told to.
class TestWatch : public TurnWatch {
 public:
  explicit TestWatch(FakeHost& host) : host_(host) {}
  void Publish(const v1::Convergence& convergence) override;
  bool Stopped() override { return host_.dead() || (stop_after_ > 0 && waits_ >= stop_after_); }
  bool Wait(std::chrono::milliseconds span) override;
  SteadyTime Now() override { return now_; }
  void Pass(std::chrono::milliseconds span);

  // Stopped after so many waits; one that takes no time does not count.
  void StopAfterWaits(int waits) {
    waits_ = 0;
    stop_after_ = waits;
  }

  std::vector<v1::Convergence> published;
  const v1::Convergence& last() const { return published.back(); }

 private:
  FakeHost& host_;
  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
  int waits_ = 0;
  int stop_after_ = 0;
};

// What one process of the agent has; a new one is what is there after a kill.
struct Agent {
  explicit Agent(BareNode& node)
      : journal(node.host, std::string(kStateDir) + "/changes"),
        loaded(journal.Load()),
        converge(node.Options(), node.host, cache, journal) {}
  ProbeCache cache;
  ChangeJournal journal;
  absl::Status loaded;
  Converge converge;
};

// What a coordinator of release 0.1 answers a node that it assigns this.
v1::HeartbeatResponse ToAnswer(const v1::Assignment& assignment);

// "waiting: RESOURCE: ERROR" and so on: what a convergence says, for a test's failure.
std::string Describe(const v1::Convergence& convergence);

}  // namespace connect_ha
