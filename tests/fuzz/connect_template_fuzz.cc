// Whatever the bytes: what is rendered is gcfg with the template's keys, and no problem's text or
// error has a value that was filled in.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "common/connect/gcfg.h"
#include "common/spec/connect_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string secret = "Xq7\"\\;#\n\t v";
  connect_ha::v1::ClusterSpec spec;
  (*spec.mutable_secrets())["a"].set_file("/a");
  connect_ha::FormatProblems(connect_ha::CheckConnectTemplate(text, "fuzz.gcfg", spec));
  const auto rendered =
      connect_ha::RenderConnectConfig(text, {{"node.name", "n"}, {"secret.a", secret}});
  if (!rendered.ok()) return absl::StrContains(rendered.status().message(), "Xq7") ? abort(), 0 : 0;
  const auto before = connect_ha::ParseGcfg(text);
  const auto after = connect_ha::ParseGcfg(*rendered);
  if (!after.errors.empty() || after.entries.size() != before.entries.size()) std::abort();
  for (size_t i = 0; i < after.entries.size(); ++i) {
    if (after.entries[i].section != before.entries[i].section ||
        after.entries[i].subsection != before.entries[i].subsection ||
        after.entries[i].name != before.entries[i].name) {
      std::abort();
    }
  }
  return 0;
}
