#pragma once

#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::app {

/// `tidegate backtest`: what rules would have made of what is stored.
struct Backtest {
  std::vector<std::string> rules;  ///< names; empty: all
  std::string file;                ///< with `rules:`, instead of the configuration's
  std::string from = "-7d", to;
  std::string sweep;  ///< "above=80..95", "for=10s..2m:10s", or empty
  bool list = false;  ///< each time an alert was up, instead of one line an alert
  tools::Format format = tools::Format::table;
};
Result<int> backtest(const Backtest& options, const tools::Surroundings& surroundings);

}  // namespace tidegate::app
