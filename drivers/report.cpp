#include "drivers/report.h"

#include <cmath>

namespace tidegate::drivers {

using config::Shape;

Shape report_shape() {
  using std::chrono::hours, std::chrono::milliseconds;
  constexpr double kLargest = 1e300;
  return Shape::either(
      {Shape::choice({"every", "change"}),
       Shape::object(
           "What is reported of what is read.",
           {config::defaulted(
                "deadband", Shape::number(0, kLargest), "0",
                "A change of at most this is none; in the unit shown. Of numbers: other series report any change."),
            config::defaulted("at_least", Shape::duration(milliseconds(100), hours(24)), "1m",
                              "So long after the last sample there is one, whether it changed or not: a "
                              "value that rests is not a device that is gone.")})});
}

Shape::Field report_field() {
  return config::defaulted(
      "report", report_shape(), "every",
      "Which readings become samples: every, change (and one a minute), or {deadband, at_least}. The source's where it "
      "is left out.");
}

Report read_report(const config::Node& node) {
  Report report;
  report.own = !node.is_default;
  report.every = node.kind == config::Node::Kind::scalar && node.string() == "every";
  if (node.kind != config::Node::Kind::scalar) {
    report.deadband = node.number("deadband");
    report.at_least = node.duration("at_least");
  }
  return report;
}

Report Report::of(SeriesKind kind) const {
  Report report = *this;
  if (kind != SeriesKind::number) report.deadband = 0;
  return report;
}

bool ReportFilter::passes(const Sample& sample) {
  if (report_.every || (last_ && sample.time < last_->time)) return true;
  const bool news = !last_ || last_->quality != sample.quality || last_->reason != sample.reason ||
                    std::fabs(sample.value - last_->value) > report_.deadband ||
                    sample.time - last_->time >= report_.at_least;
  if (news) pass(sample);
  return news;
}

}  // namespace tidegate::drivers
