// What the inputs of the services' fuzz targets and the coordinator that takes them have in common.
#pragma once

#include <array>

namespace connect_ha {

// The cluster that the coordinator is of, and the nodes that it knows from its beginning, each of
// the machine "machine-NAME" and the boot "boot-1".
inline constexpr char kFuzzedCluster[] = "test";
inline constexpr char kFuzzedNode[] = "fuzzed";    // whose certificate heartbeats come with
inline constexpr char kSteadyNode[] = "steady";    // see heartbeat_fuzz.cc
inline constexpr char kLeavingNode[] = "leaving";  // may be removed
inline constexpr char kWatchNode[] = "watch";      // does nothing wrong, and must be served

inline constexpr char kFuzzAdmin[] = "fuzz-admin";
inline constexpr char kFuzzViewer[] = "fuzz-viewer";

// The first byte of an input of enrolment_fuzz: which call, in the order of this list.
enum class EnrolmentInput { kChallenge, kEnroll, kEnrollProved, kRenewNode, kRenewAdmin };
inline constexpr int kEnrolmentInputs = 5;

struct AdminMethod {
  const char* name;
  bool reads;  // a viewer may
};
// The first byte of an input of admin_fuzz: which of these, and who calls, in the bits above.
inline constexpr std::array<AdminMethod, 23> kAdminMethods = {{
    {"GetChecklist", true}, {"GetSnapshot", true},  {"Refresh", false},     {"RefreshStatus", true},
    {"ListEvents", true},   {"CreateToken", false}, {"ListTokens", true},   {"RevokeToken", false},
    {"CreateAdmin", false}, {"ListAdmins", true},   {"RemoveAdmin", false}, {"ListAudit", true},
    {"ListNodes", true},    {"RemoveNode", false},  {"PreviewSpec", false}, {"GetPreviews", true},
    {"ApplySpec", false},   {"GetSpec", true},      {"ListSpecs", true},    {"GiveWord", false},
    {"TakeBack", false},    {"GetPlan", true},      {"ListRollouts", true},
}};
inline constexpr unsigned kByViewer = 0x40;
inline constexpr unsigned kByNode = 0x80;

}  // namespace connect_ha
