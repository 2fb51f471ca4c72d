// Every call of admins, whatever is in it, by an admin, a viewer and a node: the coordinator
// answers or refuses, a viewer changes nothing, a node gets nothing.
#include <string>

#include "connect_ha/v1/admin_service.pb.h"
#include "tests/fuzz/service_names.h"
#include "tests/fuzz/service_under_fuzz.h"

namespace connect_ha {
namespace {

const grpc::Status kNotSent{grpc::StatusCode::INVALID_ARGUMENT, "it is not sent"};

// Whether it would take away somebody whom the target needs, the calling admin among them. Not
// sent then: that admins can remove themselves is known, and no fault.
bool TakesAwayWhoIsNeeded(const ServiceUnderFuzz& service, const std::string& method,
                          const std::string& message) {
  v1::CreateAdminRequest create;
  v1::RemoveAdminRequest remove;
  v1::RemoveNodeRequest remove_node;
  if (method == "CreateAdmin") {
    return create.ParseFromString(message) && service.IsNeeded(create.name());
  }
  if (method == "RemoveAdmin") {
    return remove.ParseFromString(message) && service.IsNeeded(remove.name());
  }
  return method == "RemoveNode" && remove_node.ParseFromString(message) &&
         service.IsNeeded(remove_node.node());
}

// An input cannot know which generation is the newest by now.
std::string AgainstNewest(ServiceUnderFuzz& service, const std::string& message) {
  v1::ApplySpecRequest request;
  std::string answer;
  v1::ListSpecsResponse specs;
  if (!request.ParseFromString(message)) return message;
  service.Call(FuzzCaller::kViewer, "/connect_ha.v1.AdminService/ListSpecs", "", &answer);
  if (!specs.ParseFromString(answer) || specs.generations().empty()) return message;
  request.set_newest_generation(specs.generations(0).generation());
  return request.SerializeAsString();
}

}  // namespace

grpc::Status SendInput(ServiceUnderFuzz& service, const std::string& input) {
  if (input.empty()) return kNotSent;
  const auto choice = static_cast<unsigned char>(input[0]);
  const AdminMethod& method = kAdminMethods[(choice & (kByViewer - 1)) % kAdminMethods.size()];
  const std::string name = method.name;
  std::string message = input.substr(1);
  FuzzCaller who = FuzzCaller::kAdmin;
  if ((choice & kByViewer) != 0) who = FuzzCaller::kViewer;
  if ((choice & kByNode) != 0) who = FuzzCaller::kNode;
  if (TakesAwayWhoIsNeeded(service, name, message)) return kNotSent;
  if (name == "ApplySpec") message = AgainstNewest(service, message);
  grpc::Status status = service.Call(who, "/connect_ha.v1.AdminService/" + name, message);
  const bool may = who == FuzzCaller::kAdmin || (who == FuzzCaller::kViewer && method.reads);
  RequireOfService(may || !status.ok(), name + " was done for one who may not");
  return status;
}

}  // namespace connect_ha
