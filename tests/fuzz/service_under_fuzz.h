// A coordinator behind its ports, in this process, with what a fuzz target needs to call it. That
// it is made as tests/coordinator/service makes one, only service_under_fuzz.cc knows.
//
// It takes many inputs before there is another: an input that crashes it may need those before it.
// Aborts the process where an answer, or what comes after it, shows a fault of the coordinator.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "common/tls/join_proof.h"

namespace connect_ha {

// Whose certificate a call comes with. kNobody calls the port of enrolment, the others the port of
// nodes and admins.
enum class FuzzCaller { kNobody, kNode, kSteadyNode, kViewer, kAdmin };

class ServiceUnderFuzz {
 public:
  ServiceUnderFuzz();
  ~ServiceUnderFuzz();
  ServiceUnderFuzz(const ServiceUnderFuzz&) = delete;

  // A unary call of `method` ("/connect_ha.v1.NodeService/Heartbeat"); `message` goes out byte for
  // byte. Where the status is OK and `answer` is not null, it is what came back.
  grpc::Status Call(FuzzCaller who, const std::string& method, const std::string& message,
                    std::string* answer = nullptr);

  // Has what nodes sent judged by the checklist's rules.
  void Judge();
  // Judges, and aborts unless those who do nothing wrong are served: a node's heartbeat is answered
  // with OK, and an admin can read what the coordinator says of its cluster.
  void RequireWell();

  // A name of an admin or a node that RequireWell or the target calls with. Removing it would say
  // nothing of the coordinator, and leave nobody to call.
  bool IsNeeded(const std::string& admin_or_node) const;
  // Good for nodes named by two characters, the first of them n.
  JoinToken Token();

 private:
  struct Parts;
  std::shared_ptr<grpc::Channel> MakeAdmin(const std::string& name, bool viewer);
  void MustBeOk(const char* what,
                const std::function<grpc::Status(grpc::ClientContext*)>& call) const;

  std::unique_ptr<Parts> parts_;
};

// Aborts with these words when it does not hold.
void RequireOfService(bool holds, const std::string& what);

// What a target does with an input; each defines it. The status of the call that it stands for.
grpc::Status SendInput(ServiceUnderFuzz& service, const std::string& input);

}  // namespace connect_ha
