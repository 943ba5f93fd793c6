#pragma once

#include <map>
#include <string>
#include <string_view>

#include "gateway/core/types.h"
#include "gateway/state/state.h"

namespace tidegate::state {

/// Of each point that rules set, the newest batch of the journal whose wishes for it are over: set, given up, or wanted
/// by nobody any more, since somebody has set the point by hand. On disk with the line of the audit that says what came
/// of it. Any thread.
class PointMarks {
 public:
  /// `epoch`: of the journal; of another one no batch is known.
  PointMarks(State& state, std::string epoch) : state_(state), epoch_(std::move(epoch)) {}

  Result<std::map<std::string, Seq, std::less<>>> all() const;
  /// `deed` is about the point. Never backwards.
  Status put(const Deed& deed, Seq through);

 private:
  State& state_;
  const std::string epoch_;
};

}  // namespace tidegate::state
