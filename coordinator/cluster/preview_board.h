// Asks nodes what they would change for a specification that is not in force, and collects what
// they say, so far as it has room. Nothing of it is stored: who asked asks again. All calls may be
// made from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

class PreviewBoard {
 public:
  // Of the previews to one question, serialised. Of a node for which there is no room it is said
  // that there is none.
  static constexpr size_t kMostBytes = 32 * 1024 * 1024;

  // Every node is asked at its next heartbeat. Returns the number of the question.
  uint64_t Ask(v1::Desired desired, Time now);

  // Takes the preview that the request brings, and puts into the response what the node is still to
  // be asked. Costs nothing while nothing is asked.
  void Exchange(const v1::HeartbeatRequest& request, Time now, v1::HeartbeatResponse* response);

  // The previews so far, by node. NotFound: nothing is asked under this number any more.
  absl::StatusOr<std::map<std::string, v1::Preview>> Previews(uint64_t number, Time now);
  // What is asked under this number; as above.
  absl::StatusOr<v1::Desired> Draft(uint64_t number, Time now);

 private:
  struct Question {
    v1::PreviewRequest request;
    Time asked_at;
    std::map<std::string, v1::Preview> previews;
    size_t bytes = 0;
  };

  static void Take(const v1::HeartbeatRequest& request, Question& question);
  absl::StatusOr<const Question*> Find(uint64_t number, Time now);
  void ForgetOld(Time now);

  std::mutex mutex_;
  std::map<uint64_t, Question> questions_;
  std::atomic<bool> asking_{false};
};

}  // namespace connect_ha
