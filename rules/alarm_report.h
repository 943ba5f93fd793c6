#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/event.h"
#include "rules/alert.h"
#include "rules/engine.h"
#include "rules/flood.h"

namespace tidegate::rules {

/// How the alerts of a time were for those who have to deal with them, after ISA-18.2 and EEMUA 191. Those for which
/// nobody is called do not count.
struct AlarmFigures {
  std::uint64_t raised = 0;
  std::uint64_t most_in_ten_minutes = 0;
  std::uint64_t chattering = 0;  ///< raised for the fourth time or more within a minute
  std::uint64_t stale = 0;       ///< stood for a day, at a moment of the time
  std::uint64_t acknowledged = 0;
  Micros to_acknowledge{0};  ///< the median
  Micros in_flood{0};        ///< of all alerts together
  Micros span{0};            ///< of the time
};

inline constexpr Micros kStaleAfter = std::chrono::hours(24);

/// Computes them from what was told of alerts. Pure.
class AlarmReport {
 public:
  /// What has a line of its own; days are of UTC.
  enum class By : std::uint8_t { day, rule, alert, rule_and_day };
  struct Line {
    std::vector<std::string> of;  ///< the day, the rule, or the alert; of rule_and_day the day and the rule
    AlarmFigures figures;
  };

  AlarmReport(By by, const Interval& period) : by_(by), period_(period) {}
  /// In order of the log, from its beginning: what stood when the period began is known from before it.
  void take(const Event& event);
  /// Once, at the end. Days in their order, all from the first to the last; rules and alerts by how often they were
  /// raised.
  std::vector<Line> lines();
  /// After lines(): of all of them.
  AlarmFigures total() const { return figures(total_, period_); }

 private:
  struct Group {
    std::vector<Timestamp> raised;
    std::vector<Micros> acknowledged;
    std::uint64_t chattering = 0, stale = 0;
    Micros in_flood{0};
  };
  struct Standing {
    AlertRecord alert;
    Timestamp since{};
    bool is_up = false;
    std::optional<Timestamp> owed;  ///< since when it waits for an acknowledgement
    std::array<Timestamp, kChatterRaises> last{};
  };

  void take(Timestamp at, const AlertTransition& transition);
  void end(Standing& standing, Timestamp at);
  template <class Count>
  void count(Timestamp at, const AlertRecord& alert, const Count& count);
  void add_flood(Timestamp from, Timestamp to);
  void fill_days();
  static AlarmFigures figures(const Group& group, const Interval& period);

  const By by_;
  const Interval period_;
  std::map<std::vector<std::string>, Group> groups_;
  Group total_;
  std::map<std::string, Standing> standing_;
  std::optional<Timestamp> flood_since_;
};

}  // namespace tidegate::rules
