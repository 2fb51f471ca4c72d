#include "agent/probes/connect/connect.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/probes/connect/guard.h"
#include "agent/probes/connect/restarts.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"
#include "common/checklist/crash_loop.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kDefaultUnit[] = "rstudio-connect.service";
constexpr char kDefaultListen[] = ":3939";
constexpr std::chrono::milliseconds kHttpTimeout{2'000};
constexpr std::chrono::minutes kVerifyFor{4};
constexpr int kOk = 200;
// Whatever listens on Connect's port may answer.
constexpr size_t kLongestVersion = 64;

std::string UnitName(const ProbeInput& input) {
  return input.agent_config.has_connect_unit() ? input.agent_config.connect_unit() : kDefaultUnit;
}

// "http://127.0.0.1:3939" or, where only HTTPS is configured, the same with https.
std::string LocalUrl(const ConnectConfig* config) {
  if (config == nullptr) return absl::StrCat("http://", LocalAddress(kDefaultListen));
  const std::string https = config->Get("HTTPS", "Listen").value_or("");
  if (!https.empty() && !config->IsSet("HTTP", "Listen")) {
    return absl::StrCat("https://", LocalAddress(https));
  }
  return absl::StrCat("http://",
                      LocalAddress(config->Get("HTTP", "Listen").value_or(kDefaultListen)));
}

absl::StatusOr<HttpResponse> Get(const ProbeInput& input, const std::string& path) {
  HttpRequest request;
  request.url = LocalUrl(input.config.get()) + path;
  request.timeout = kHttpTimeout;
  request.verify_certificate = false;
  return input.host.Http(request);
}

void ReadPing(const ProbeInput& input, v1::ConnectFacts& connect) {
  v1::Ping& ping = *connect.mutable_ping();
  *ping.mutable_asked_at() = ToProto(input.host.Now());
  const auto started = std::chrono::steady_clock::now();
  const absl::StatusOr<HttpResponse> response = Get(input, "/__ping__");
  const auto took = std::chrono::steady_clock::now() - started;
  if (!response.ok()) {
    ping.set_error(std::string(response.status().message()));
    return;
  }
  ping.set_http_status(static_cast<uint32_t>(response->status));
  ping.set_latency_us(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

// Asked once per start of the unit: a running process does not change its version.
absl::StatusOr<std::string> ReadRunningVersion(const ProbeInput& input, const v1::Unit& unit) {
  const Time started_at = FromProto(unit.started_at());
  const std::optional<KeptServerVersion> kept = input.cache.server_version.Get();
  if (kept && unit.has_started_at() && kept->started_at == started_at) return kept->version;
  const absl::StatusOr<HttpResponse> response = Get(input, "/__api__/server_settings");
  if (!response.ok()) return response.status();
  if (response->status != kOk) {
    return absl::UnavailableError(absl::StrCat("server_settings answered ", response->status));
  }
  absl::StatusOr<std::string> version = ParseServerVersion(response->body);
  if (!version.ok()) return absl::UnavailableError(version.status().message());
  input.cache.server_version.Put({started_at, *version});
  return version;
}

void ReadIntegrity(const ProbeInput& input, const v1::Package& package, v1::Facts& facts) {
  const std::optional<VerifiedConnect> verified = input.cache.connect.Get();
  if (!verified || verified->package_version != package.version()) {
    MarkPending(facts, "connect.integrity",
                absl::StrCat("the files of ", package.version(), " are not verified yet"));
    return;
  }
  Observe(facts, "connect.integrity", verified->integrity, [&](const v1::Integrity& integrity) {
    *facts.mutable_connect()->mutable_integrity() = integrity;
  });
}

// What an older preflight said is of no start of now: the unit may ask for none any more.
bool WasRefused(const ProbeInput& input) {
  const absl::StatusOr<v1::PreflightResult> last = ReadPreflightResult(input.host);
  return last.ok() && !last->may_start() && input.now - FromProto(last->at()) < kLoopWindow;
}

void CountRestarts(const ProbeInput& input, v1::Unit& unit) {
  const std::optional<KeptRestarts> before = input.cache.restarts.Get();
  const bool is_other = before && before->number != unit.restarts();
  KeptRestarts noted = NoteRestarts(before, unit, is_other && WasRefused(input), input.now);
  const std::optional<uint32_t> lately = RestartsLately(noted);
  if (lately) unit.set_restarts_lately(*lately);
  input.cache.restarts.Put(std::move(noted));
}

absl::StatusOr<v1::Package> FindConnectPackage(const ProbeInput& input) {
  const auto database = ReadPackages(input.host, input.cache);
  if (!database.ok()) return database.status();
  const v1::Package* package = (*database)->Find(kConnectPackage);
  if (package == nullptr) return absl::NotFoundError("not installed");
  return *package;
}

}  // namespace

std::string LocalAddress(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return absl::StrCat("127.0.0.1:", listen);
  const std::string host = listen.substr(0, colon);
  const std::string port = listen.substr(colon);
  if (host.empty() || host == "0.0.0.0" || host == "*") return "127.0.0.1" + port;
  if (host == "[::]") return "[::1]" + port;
  return host + port;
}

absl::StatusOr<std::string> ParseServerVersion(const std::string& json) {
  google::protobuf::Struct settings;
  if (!google::protobuf::util::JsonStringToMessage(json, &settings).ok()) {
    return absl::NotFoundError("server_settings did not answer with a JSON object");
  }
  const auto version = settings.fields().find("version");
  if (version == settings.fields().end() || version->second.string_value().empty()) {
    return absl::NotFoundError("server_settings tells no version: Server.HideVersion may be set");
  }
  if (version->second.string_value().size() > kLongestVersion) {
    return absl::NotFoundError("server_settings tells a version that is none");
  }
  return version->second.string_value();
}

absl::Status ReadConnect(const ProbeInput& input, v1::Facts& facts) {
  v1::ConnectFacts& connect = *facts.mutable_connect();
  const absl::StatusOr<v1::Package> package = FindConnectPackage(input);
  Observe(facts, "connect.package", package,
          [&](const v1::Package& value) { *connect.mutable_package() = value; });
  if (package.ok()) {
    ReadIntegrity(input, *package, facts);
  } else if (!absl::IsNotFound(package.status())) {
    MarkUnobserved(facts, "connect.integrity", std::string(package.status().message()));
  }

  const absl::StatusOr<v1::Unit> unit = input.host.ReadUnit(UnitName(input));
  if (!unit.ok() && !absl::IsNotFound(unit.status())) {
    for (const char* path : {"connect.unit", "connect.ping", "connect.running_version"}) {
      MarkUnobserved(facts, path, std::string(unit.status().message()));
    }
    return absl::OkStatus();
  }
  if (!unit.ok() || unit->load_state() == "not-found") return absl::OkStatus();
  *connect.mutable_unit() = *unit;
  const std::optional<v1::Reload> reload = input.cache.reload.Get();
  if (reload && reload->has_done_at() && reload->started_at() == unit->started_at()) {
    *connect.mutable_unit()->mutable_reloaded_at() = reload->done_at();
  }
  CountRestarts(input, *connect.mutable_unit());
  const std::string& state = unit->active_state();
  if (state != "active" && state != "reloading") return absl::OkStatus();
  ReadPing(input, connect);
  Observe(facts, "connect.running_version", ReadRunningVersion(input, *unit),
          [&](const std::string& version) { connect.set_running_version(version); });
  return absl::OkStatus();
}

absl::StatusOr<std::string> InstalledConnect(Host& host, ProbeCache& cache) {
  const auto database = ReadPackages(host, cache);
  if (absl::IsNotFound(database.status())) return std::string();
  if (!database.ok()) return database.status();
  const v1::Package* const package = (*database)->Find(kConnectPackage);
  return package == nullptr ? std::string() : PlainVersion(package->version());
}

bool ConnectIsStarting(const v1::Facts& facts) {
  const v1::ConnectFacts& connect = facts.connect();
  return connect.unit().active_state() == "active" && connect.ping().http_status() != kOk;
}

absl::Status VerifyConnect(const ProbeInput& input, v1::Facts&) {
  const absl::StatusOr<v1::Package> package = FindConnectPackage(input);
  if (!package.ok()) return absl::OkStatus();  // ReadConnect says so
  VerifiedConnect verified;
  verified.package_version = package->version();
  const absl::StatusOr<std::optional<v1::Integrity>> integrity = VerifyPackage(
      input.host, input.cache, *package, std::chrono::steady_clock::now() + kVerifyFor);
  if (!integrity.ok()) {
    verified.integrity = absl::UnavailableError(integrity.status().message());
  } else if (!integrity->has_value()) {
    verified.integrity = absl::UnavailableError("the package carries no checksums");
  } else {
    verified.integrity = **integrity;
  }
  input.cache.connect.Put(std::move(verified));
  return absl::OkStatus();
}

}  // namespace connect_ha
