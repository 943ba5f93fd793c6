#pragma once

#include <cstdint>
#include <string>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"
#include "rules/alarm_report.h"

namespace tidegate::app {

/// `tidegate alerts report`: how many alerts there were, and how they were dealt with.
struct AlarmReport {
  rules::AlarmReport::By by = rules::AlarmReport::By::rule;
  std::string from = "-7d", to;
  std::size_t top = 0;  ///< so many lines; 0: all
  tools::Format format = tools::Format::table;
};
Result<int> report_alarms(const AlarmReport& options, const tools::Surroundings& surroundings);

}  // namespace tidegate::app
