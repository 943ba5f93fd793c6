#pragma once

#include <optional>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/types.h"

namespace tidegate::drivers {

/// Which of a point's readings become samples: `report: every`, `report: change`, `report: {deadband: 0.5, at_least:
/// 10m}`. There is always a heartbeat, so that a value that rests can be told from a device that is gone.
struct Report {
  bool every = true;
  double deadband = 0;                        ///< a change of at most this is none; of the value as shown
  Micros at_least = std::chrono::minutes(1);  ///< a reading this long after the last sample is one, whatever it says
  bool own = false;                           ///< it was said: what else would hold does not

  /// For a series of this kind: a dead band is of numbers. Of a code the distance says nothing, and each step of a
  /// counter counts: there any change is one.
  Report of(SeriesKind kind) const;
  /// The longest between two samples of a point that is read each `read_every`; as SeriesInfo has it.
  Micros longest(Micros read_every) const {
    return every || at_least < read_every || read_every < Micros{0} ? read_every : at_least;
  }
};

config::Shape report_shape();
config::Shape::Field report_field();
Report read_report(const config::Node& node);

/// Applies a Report to the samples of one series. One thread.
class ReportFilter {
 public:
  explicit ReportFilter(Report report = {}) : report_(report) {}
  /// A changed quality or reason always passes, and so does what is older than the last: what stood beside it is not
  /// known.
  bool passes(const Sample& sample);
  /// This one did, whatever it says: what comes next is compared with it.
  void pass(const Sample& sample) { last_ = sample; }

 private:
  Report report_;
  std::optional<Sample> last_;  ///< that passed
};

}  // namespace tidegate::drivers
