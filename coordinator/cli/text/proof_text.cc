#include "coordinator/cli/text/proof_text.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/proving.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/freshness.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/command/text_table.h"
#include "common/time.h"

namespace connect_ha {
namespace {

constexpr char kDatabase[] = "database";
// Beyond so many columns only what is not seen is listed.
constexpr int kMostColumns = 8;

using Nodes = std::vector<const v1::NodeSnapshot*>;

bool IsSet(const Nodes& nodes, const char* key) {
  return std::any_of(nodes.begin(), nodes.end(), [key](const v1::NodeSnapshot* node) {
    const v1::DataDirectory* directory = FindDirectory(node->facts(), key);
    return directory != nullptr && !directory->is_default();
  });
}

// The item that is judged by it, which says what to do.
const char* RuleOf(const std::string& of) {
  if (of == kDatabase) return "database-is-same";
  if (of == "Database.Dir") return "database-dir-is-shared";
  return of == "Server.LandingDir" ? "landing-dir-is-shared" : "data-dir-is-shared";
}

// More is wrong than that it takes time.
bool IsInTrouble(const v1::ProofViewer& viewer) {
  return !viewer.why_not().empty() ||
         std::any_of(viewer.sees().begin(), viewer.sees().end(), [](const v1::ProofGlance& glance) {
           return glance.sight() == v1::ProofGlance::NOT_SEEN;
         });
}

const char* InsteadText(Instead instead) {
  switch (instead) {
    case Instead::kOld:
      return "only an old one is there";
    case Instead::kOtherMachine:
      return "another machine's is there";
    default:
      return "it is not there";
  }
}

v1::ProofGlance GlanceOf(const Glance& glance, const std::string& node) {
  v1::ProofGlance out;
  out.set_node(node);
  switch (glance.sight) {
    case Sight::kSeen:
      out.set_sight(v1::ProofGlance::SEEN);
      break;
    case Sight::kNotSeen:
      out.set_sight(v1::ProofGlance::NOT_SEEN);
      out.set_text(InsteadText(glance.instead));
      break;
    case Sight::kWaiting:
      out.set_sight(v1::ProofGlance::WAITING);
      out.set_text(glance.why);
      break;
  }
  if (glance.age_ms) out.set_age_ms(*glance.age_ms);
  return out;
}

void Fill(const ProofMatrix& matrix, v1::ProofTable& table) {
  for (size_t viewer = 0; viewer < matrix.nodes.size(); ++viewer) {
    v1::ProofViewer& node = *table.add_nodes();
    node.set_node(matrix.nodes[viewer]->name());
    node.set_why_not(matrix.too_many.empty() ? matrix.why_not[viewer] : matrix.too_many);
    if (!node.why_not().empty()) continue;
    for (size_t other = 0; other < matrix.nodes.size(); ++other) {
      if (other == viewer || !matrix.why_not[other].empty()) continue;
      *node.add_sees() = GlanceOf(matrix.glances[viewer][other], matrix.nodes[other]->name());
    }
  }
}

// A node that is not heard, or is two machines, has no part in it.
void AddUncounted(const v1::Snapshot& cluster, v1::ProofTable& table) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto why = WhyNotCounted(cluster, node);
    if (!why) continue;
    v1::ProofViewer& viewer = *table.add_nodes();
    viewer.set_node(node.name());
    viewer.set_why_not(*why);
  }
  std::sort(
      table.mutable_nodes()->pointer_begin(), table.mutable_nodes()->pointer_end(),
      [](const v1::ProofViewer* a, const v1::ProofViewer* b) { return a->node() < b->node(); });
}

std::string AgeText(int64_t age_ms) {
  constexpr int64_t kLongest = int64_t{1} << 40;  // a node said it
  return FormatSpan(std::chrono::milliseconds(std::clamp<int64_t>(age_ms, 0, kLongest)));
}

Cell CellOf(const v1::ProofViewer& viewer, const std::string& other) {
  if (viewer.node() == other) return {"-", Style::kFaint};
  for (const v1::ProofGlance& glance : viewer.sees()) {
    if (glance.node() != other) continue;
    if (glance.sight() == v1::ProofGlance::NOT_SEEN) return {"NO", Style::kBad};
    if (glance.sight() != v1::ProofGlance::SEEN) break;
    return {glance.has_age_ms() ? AgeText(glance.age_ms()) : "seen", Style::kGood};
  }
  return {"?", Style::kDoubtful};
}

void PrintMatrix(Terminal& terminal, const v1::ProofTable& table) {
  std::vector<std::string> headings = {""};
  std::vector<TableRow> rows;
  for (const v1::ProofViewer& viewer : table.nodes()) {
    headings.push_back(viewer.node());
    TableRow row;
    row.push_back(Cell{viewer.node()});
    for (const v1::ProofViewer& other : table.nodes()) row.push_back(CellOf(viewer, other.node()));
    rows.push_back(std::move(row));
  }
  PrintTable(terminal, headings, rows);
}

// What of it is more than "seen".
std::vector<std::string> Remarks(const v1::ProofTable& table) {
  std::vector<std::string> lines;
  for (const v1::ProofViewer& viewer : table.nodes()) {
    if (!viewer.why_not().empty()) {
      lines.push_back(absl::StrCat(viewer.node(), ": ", viewer.why_not()));
    }
    for (const v1::ProofGlance& glance : viewer.sees()) {
      const std::string text = glance.text().empty() ? "" : absl::StrCat(": ", glance.text());
      if (glance.sight() == v1::ProofGlance::NOT_SEEN) {
        lines.push_back(absl::StrCat(viewer.node(), " does not see ", glance.node(), text));
      } else if (glance.sight() == v1::ProofGlance::WAITING) {
        lines.push_back(absl::StrCat(viewer.node(), " has not seen ", glance.node(), " yet", text));
      }
    }
  }
  return lines;
}

void PrintOne(Terminal& terminal, const v1::ProofTable& table) {
  const bool is_database = table.of() == kDatabase;
  if (!table.asked()) {
    constexpr int kLabel = 7;
    const v1::Fix asked = is_database ? AskForDatabaseProof() : AskForStorageProof();
    std::string fix = Wrap(asked.note(), terminal.width, kLabel);
    terminal.out << table.of() << ": not asked for\n" << fix.replace(0, kLabel, "fix:   ");
    return;
  }
  terminal.out << Wrap(
      absl::StrCat(table.of(), is_database
                                   ? ": who (left) sees whose lock, and how long before its "
                                     "latest report it last did"
                                   : ": who (left) sees whose beacon, and how long before "
                                     "that look it was renewed"),
      terminal.width);
  if (table.nodes_size() <= kMostColumns) PrintMatrix(terminal, table);
  const std::vector<std::string> remarks = Remarks(table);
  if (remarks.empty() && table.nodes_size() < 2) {
    terminal.out << "there is no other node to see\n";
  } else if (remarks.empty()) {
    terminal.out << Count(static_cast<size_t>(table.nodes_size()), "node")
                 << ", each is seen by every other\n";
  }
  for (const std::string& remark : remarks) {
    terminal.out << Wrap(Printable(remark), terminal.width);
  }
  if (std::any_of(table.nodes().begin(), table.nodes().end(), IsInTrouble)) {
    terminal.out << "fix:   connect-ha checklist --rule " << RuleOf(table.of()) << "\n";
  }
}

}  // namespace

v1::Proofs ProofsOf(const v1::Snapshot& cluster, bool storage, bool database) {
  Nodes nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!WhyNotCounted(cluster, node)) nodes.push_back(&node);
  }
  v1::Proofs proofs;
  const auto add = [&](const char* of, bool asked, const ProofMatrix& matrix) {
    v1::ProofTable& table = *proofs.add_tables();
    table.set_of(of);
    table.set_asked(asked);
    if (!asked) return;
    Fill(matrix, table);
    AddUncounted(cluster, table);
  };
  const v1::ProveSpec& prove = cluster.spec().prove();
  for (const char* key : {"Server.DataDir", "Database.Dir", "Server.LandingDir"}) {
    const bool is_data = std::string(key) == "Server.DataDir";
    if (!storage || (!is_data && !IsSet(nodes, key))) continue;
    add(key, prove.storage(), SeeBeacons(cluster, nodes, key));
  }
  if (database) add(kDatabase, prove.database(), SeePresence(cluster, nodes));
  return proofs;
}

void PrintProofs(Terminal& terminal, const v1::Proofs& proofs) {
  bool first = true;
  for (const v1::ProofTable& table : proofs.tables()) {
    if (!std::exchange(first, false)) terminal.out << "\n";
    PrintOne(terminal, table);
  }
}

int ProofsExitCode(const v1::Proofs& proofs) {
  int code = kHolds;
  for (const v1::ProofTable& table : proofs.tables()) {
    if (!table.asked() || table.nodes().empty()) code = kUnknown;
    for (const v1::ProofViewer& viewer : table.nodes()) {
      if (!viewer.why_not().empty()) code = kUnknown;
      for (const v1::ProofGlance& glance : viewer.sees()) {
        if (glance.sight() == v1::ProofGlance::NOT_SEEN) return kFails;
        if (glance.sight() != v1::ProofGlance::SEEN) code = kUnknown;
      }
    }
  }
  return code;
}

std::string ProofsKey(v1::Proofs proofs) {
  for (v1::ProofTable& table : *proofs.mutable_tables()) {
    for (v1::ProofViewer& viewer : *table.mutable_nodes()) {
      for (v1::ProofGlance& glance : *viewer.mutable_sees()) glance.clear_age_ms();
    }
  }
  return proofs.SerializeAsString();
}

}  // namespace connect_ha
