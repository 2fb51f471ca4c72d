#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Clears every field marked (volatile), at any depth.
void ClearVolatile(google::protobuf::Message& message);

// SHA-256, hex, of the facts without their volatile fields: two equal digests mean that nothing
// changed but what changes on every look.
std::string FactsDigest(const v1::Facts& facts);

}  // namespace connect_ha
