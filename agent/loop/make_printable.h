#pragma once

#include <google/protobuf/message.h>

namespace connect_ha {

// Every text of the message, at any depth, as common/text/printable.h says.
void MakePrintable(google::protobuf::Message& message);

}  // namespace connect_ha
