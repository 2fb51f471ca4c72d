#include "agent/probes/table.h"

#include "agent/probes/connect/configuration.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/connect/encryption_key.h"
#include "agent/probes/connect/guard.h"
#include "agent/probes/connect/license.h"
#include "agent/probes/database/database.h"
#include "agent/probes/installed/runtimes.h"
#include "agent/probes/machine/accounts.h"
#include "agent/probes/machine/clock.h"
#include "agent/probes/machine/disk.h"
#include "agent/probes/machine/host.h"
#include "agent/probes/machine/instance.h"
#include "agent/probes/machine/instance_notices.h"
#include "agent/probes/machine/listeners.h"
#include "agent/probes/machine/memory.h"
#include "agent/probes/storage/beacons.h"
#include "agent/probes/storage/storage.h"
#include "agent/probes/storage/storage_answers.h"
#include "agent/probes/storage/storage_rounds.h"
#include "agent/probes/storage/storage_spaces.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr uint32_t kOnConnect = kOnPackages | kOnUnits | kOnConfiguration;
constexpr uint32_t kOnInstallations = kOnRuntimes | kOnPackages | kOnConfiguration;

}  // namespace

const std::vector<Probe>& Probes() {
  static const std::vector<Probe> table = {
      // name, path, pace, triggers, deadline, function, whether to read it again soon
      {"host", "host", Pace::kPass, kOnHost | kOnPackages, seconds(2), ReadHost},
      {"instance", "instance", Pace::kPoll, kOnNothing, seconds(30), ReadInstance},
      {"instance_notices", "instance.notices", Pace::kPoll, kOnNothing, seconds(15),
       ReadInstanceNotices},
      {"clock", "clock", Pace::kPoll, kOnUnits, seconds(5), ReadClock},
      {"configuration", "configuration", Pace::kPass, kOnConfiguration | kOnUnits, seconds(5),
       ReadConfiguration},
      {"encryption_key", "encryption_key", Pace::kPass, kOnConfiguration | kOnMounts, seconds(15),
       ReadEncryptionKey},
      {"accounts", "accounts", Pace::kPass, kOnAccounts | kOnConfiguration, seconds(5),
       ReadAccounts},
      {"connect_integrity", "connect", Pace::kVerify, kOnPackages, minutes(5), VerifyConnect},
      {"connect", "connect", Pace::kPass, kOnConnect | kOnGate, seconds(10), ReadConnect,
       ConnectIsStarting},
      {"runtimes_verification", "runtimes", Pace::kVerify, kOnInstallations, minutes(15),
       VerifyRuntimes},
      {"runtimes", "runtimes", Pace::kPass, kOnInstallations, seconds(10), ReadRuntimes},
      {"license_status", "license", Pace::kVerify, kOnLicense, seconds(30), VerifyLicense},
      {"license", "license", Pace::kPass, kOnLicense | kOnConfiguration, seconds(10), ReadLicense},
      {"storage", "storage", Pace::kPass, kOnMounts | kOnConfiguration | kOnUnits, seconds(5),
       ReadStorage, StorageIsOnItsWay},
      {"storage_answers", "storage.answers", Pace::kPoll, kOnMounts | kOnConfiguration, seconds(30),
       ReadStorageAnswers, StorageIsSilent},
      {"beacons", "beacons", Pace::kPass, kOnProof, seconds(2), ReadBeacons},
      {"storage_rounds", "storage.rounds", Pace::kPass, kOnProof, seconds(2), ReadStorageRounds},
      {"storage_spaces", "storage.spaces", Pace::kPoll, kOnMounts | kOnConfiguration, seconds(30),
       ReadStorageSpaces},
      {"guard", "guard", Pace::kPass, kOnUnits | kOnProof, seconds(5), ReadGuard},
      {"database", "database", Pace::kPoll, kOnConfiguration, seconds(60), ReadDatabase},
      {"instrumentation_database", "instrumentation_database", Pace::kPoll, kOnConfiguration,
       seconds(60), ReadInstrumentationDatabase},
      {"presence", "presence", Pace::kPass, kOnProof, seconds(2), ReadPresence},
      {"listeners", "listeners", Pace::kPass, kOnNothing, seconds(2), ReadListeners},
      {"disk", "disk", Pace::kPass, kOnMounts, seconds(5), ReadDisk},
      {"memory", "memory", Pace::kPass, kOnNothing, seconds(2), ReadMemory},
  };
  return table;
}

}  // namespace connect_ha
