#include "agent/loop/facts_digest.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <vector>

#include "common/tls/crypto.h"
#include "connect_ha/v1/options.pb.h"

namespace connect_ha {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void ClearVolatile(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->options().GetExtension(v1::volatile_)) {
      reflection.ClearField(&message, field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (!field->is_repeated()) {
      ClearVolatile(*reflection.MutableMessage(&message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        ClearVolatile(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

std::string FactsDigest(const v1::Facts& facts) {
  v1::Facts steady = facts;
  ClearVolatile(steady);
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    steady.SerializeToCodedStream(&coded);
  }
  return Hex(Sha256(bytes));
}

}  // namespace connect_ha
