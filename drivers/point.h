#pragma once

#include <string>
#include <vector>

#include "drivers/reading.h"
#include "drivers/report.h"
#include "drivers/value.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers {

/// A point that a driver reads: its series, and how what is read becomes a sample of it. One thread.
class Point {
 public:
  /// `series`: its whole name.
  Point(std::string series, ValueOptions options);

  const std::string& series() const { return series_; }
  const ValueOptions& options() const { return options_; }

  /// Asks for the series, so that it is there before the device answers. `natural`: its kind unless the options say.
  /// Fails as Sink::series does; then nothing is added until it is opened.
  Status open(Sink& sink, SeriesKind natural, Micros read_every, Labels labels = {});
  bool is_open() const { return feed_.is_open(); }

  /// Adds the sample, unless `report` leaves it out. What is wrong with the reading, in words; "" where nothing is.
  std::string take(Sink& sink, const Reading& reading, Timestamp time, std::vector<Sample>& samples);
  /// The same of a reading that its device dates or doubts: a lower quality stays.
  std::string take(Sink& sink, const Reading& reading, Timestamp time, Quality quality, Reason reason,
                   std::vector<Sample>& samples);
  /// Adds a sample whatever `report` leaves out: what the others cannot be understood without.
  void add(Sink& sink, const Reading& reading, Timestamp time, std::vector<Sample>& samples);
  /// Adds a bad sample: it was read and gave nothing.
  void lose(Reason why, Timestamp time, std::vector<Sample>& samples);

 private:
  std::string convert(Sink& sink, const Reading& reading, Sample& sample, bool& gives_sample);

  std::string series_;
  ValueOptions options_;
  Feed feed_;
  bool state_ = false;
  ReportFilter filter_;
};

}  // namespace tidegate::drivers
