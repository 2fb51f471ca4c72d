// Which methods each of the two ports has, and how large their messages may be.
#pragma once

#include "connect_ha/v1/admin_service.grpc.pb.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/rpc/endpoint.h"

namespace connect_ha {

// What gRPC takes in at all. A report over its bounds still arrives, so that its refusal can say so
// on both ends; what is larger than this does not, and gRPC tells its caller alone
// (RESOURCE_EXHAUSTED).
constexpr int kMaxNodesReceiveBytes = 5 * 1024 * 1024;
constexpr int kMaxEnrolmentReceiveBytes = 256 * 1024;

MessageBounds HeartbeatBounds();
MessageBounds NudgesBounds();

// The nodes' and admins' port. The services are borrowed.
void AddNodesMethods(v1::NodeService::Service& node, v1::AdminService::Service& admin,
                     v1::RenewalService::Service& renewal, Endpoint& endpoint);
void AddEnrolmentMethods(v1::EnrolmentService::Service& enrolment, Endpoint& endpoint);

}  // namespace connect_ha
