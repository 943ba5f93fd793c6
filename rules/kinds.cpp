#include "rules/kinds.h"

namespace tidegate::rules {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds{threshold_kind(), trend_kind(), forecast_kind(), change_kind(),
                                        deviation_kind(), shift_kind(), flatline_kind(), anomaly_kind(),
                                        absence_kind(),   count_kind(), sequence_kind(), when_kind()};
  return kKinds;
}

}  // namespace tidegate::rules
