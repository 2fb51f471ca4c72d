#include "agent/host/systemd/bus_property.h"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"

namespace connect_ha {
namespace {

struct MessageDeleter {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDeleter>;

int ReadTexts(sd_bus_message* message, std::vector<std::string>& texts) {
  int result = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");
  if (result < 0) return result;
  const char* text = nullptr;
  while ((result = sd_bus_message_read_basic(message, 's', &text)) > 0) texts.emplace_back(text);
  return result < 0 ? result : sd_bus_message_exit_container(message);
}

// Whose failure is ignored ("-" before it) keeps nothing from starting: it is left out.
int ReadCommands(sd_bus_message* message, std::vector<std::vector<std::string>>& commands) {
  int result = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "(sasbttttuii)");
  if (result < 0) return result;
  while ((result = sd_bus_message_enter_container(message, SD_BUS_TYPE_STRUCT, "sasbttttuii")) >
         0) {
    std::vector<std::string> arguments;
    int may_fail = 0;
    if ((result = sd_bus_message_skip(message, "s")) < 0) return result;
    if ((result = ReadTexts(message, arguments)) < 0) return result;
    if ((result = sd_bus_message_read_basic(message, 'b', &may_fail)) < 0) return result;
    if ((result = sd_bus_message_skip(message, "ttttuii")) < 0) return result;
    if ((result = sd_bus_message_exit_container(message)) < 0) return result;
    if (may_fail == 0) commands.push_back(std::move(arguments));
  }
  return result;
}

int ReadFlagged(sd_bus_message* message, std::vector<std::pair<std::string, bool>>& items) {
  int result = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "(sb)");
  if (result < 0) return result;
  const char* text = nullptr;
  int flag = 0;
  while ((result = sd_bus_message_read(message, "(sb)", &text, &flag)) > 0) {
    items.emplace_back(text, flag != 0);
  }
  return result;
}

}  // namespace

const char* SystemdSender(sd_bus* bus) {
  return sd_bus_is_bus_client(bus) > 0 ? kSystemdName : nullptr;
}

absl::Status BusStatus(int error, const std::string& what) {
  if (error == -ETIMEDOUT) {
    return absl::DeadlineExceededError("cannot " + what + ": systemd (PID 1) does not answer");
  }
  absl::Status status = ErrnoStatus(-error, "cannot " + what);
  // "No such file" is said of the bus's socket, not of the thing that was asked for.
  if (absl::IsNotFound(status)) return absl::UnavailableError(status.message());
  return status;
}

void BusObject::Keep(int error, const char* name) {
  if (error < 0 && status_.ok()) {
    status_ = BusStatus(error, absl::StrCat("ask systemd for ", name));
  }
}

sd_bus_message* BusObject::Get(const char* interface, const char* name, const char* type) {
  if (!status_.ok()) return nullptr;
  sd_bus_message* reply = nullptr;
  const int result = sd_bus_get_property(bus_, kSystemdName, path_.c_str(), interface, name,
                                         nullptr, &reply, type);
  Keep(result, name);
  return result < 0 ? nullptr : reply;
}

std::string BusObject::Text(const char* interface, const char* name) {
  const Message message(Get(interface, name, "s"));
  const char* text = "";
  if (message != nullptr) Keep(sd_bus_message_read_basic(message.get(), 's', &text), name);
  return text;
}

uint64_t BusObject::Number64(const char* interface, const char* name) {
  const Message message(Get(interface, name, "t"));
  uint64_t number = 0;
  if (message != nullptr) Keep(sd_bus_message_read_basic(message.get(), 't', &number), name);
  return number;
}

uint32_t BusObject::Number32(const char* interface, const char* name) {
  const Message message(Get(interface, name, "u"));
  uint32_t number = 0;
  if (message != nullptr) Keep(sd_bus_message_read_basic(message.get(), 'u', &number), name);
  return number;
}

int32_t BusObject::Signed32(const char* interface, const char* name) {
  const Message message(Get(interface, name, "i"));
  int32_t number = 0;
  if (message != nullptr) Keep(sd_bus_message_read_basic(message.get(), 'i', &number), name);
  return number;
}

bool BusObject::Flag(const char* interface, const char* name) {
  const Message message(Get(interface, name, "b"));
  int flag = 0;
  if (message != nullptr) Keep(sd_bus_message_read_basic(message.get(), 'b', &flag), name);
  return flag != 0;
}

bool BusObject::HasJob() {
  const Message message(Get(kUnitInterface, "Job", "(uo)"));
  uint32_t id = 0;
  const char* path = nullptr;
  if (message != nullptr) Keep(sd_bus_message_read(message.get(), "(uo)", &id, &path), "Job");
  return id != 0;
}

std::vector<std::string> BusObject::Texts(const char* interface, const char* name) {
  const Message message(Get(interface, name, "as"));
  std::vector<std::string> texts;
  if (message != nullptr) Keep(ReadTexts(message.get(), texts), name);
  return texts;
}

std::vector<std::vector<std::string>> BusObject::Commands(const char* interface, const char* name) {
  const Message message(Get(interface, name, "a(sasbttttuii)"));
  std::vector<std::vector<std::string>> commands;
  if (message != nullptr) Keep(ReadCommands(message.get(), commands), name);
  return commands;
}

std::vector<std::pair<std::string, bool>> BusObject::Flagged(const char* interface,
                                                             const char* name) {
  const Message message(Get(interface, name, "a(sb)"));
  std::vector<std::pair<std::string, bool>> items;
  if (message != nullptr) Keep(ReadFlagged(message.get(), items), name);
  return items;
}

}  // namespace connect_ha
