// Editing a message by another one, and by paths.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace connect_ha::test {

// As fixture.proto describes it for `change`.
void Overlay(const google::protobuf::Message& change, google::protobuf::Message& base);

// Clears the field at `path`, in every element of the lists on the way; "keys[Server.DataDir]"
// is one element. False when there is no such field or element.
bool Remove(google::protobuf::Message& message, const std::string& path);

}  // namespace connect_ha::test
