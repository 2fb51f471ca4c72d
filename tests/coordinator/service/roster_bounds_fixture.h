// A roster, and nodes that report to it in full: facts as bytes, of a machine of the node's own.
#pragma once

#include <string>

#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {

class RosterBoundsTest : public RosterFixture {
 protected:
  static v1::HeartbeatRequest Beat(const std::string& node, const std::string& digest = "d1") {
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id("machine-" + node);
    request.set_boot_id("boot-1");
    request.set_facts_digest(digest);
    v1::Facts facts;
    facts.mutable_connect()->mutable_package()->set_version("2024.08.0");
    facts.mutable_connect()->mutable_unit()->set_active_state("inactive");
    facts.mutable_host()->set_os_name("Ubuntu 22.04.4 LTS");
    facts.mutable_host()->set_hostname("host-" + digest);
    facts.mutable_instance()->set_zone("us-east-1a");
    request.set_facts_bytes(facts.SerializeAsString());
    return request;
  }
};

}  // namespace connect_ha
