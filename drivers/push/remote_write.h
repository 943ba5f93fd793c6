#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "drivers/line_protocol.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::push {

/// A series of Prometheus' remote write. The views are of the body.
struct RemoteSeries {
  struct Point {
    double value;
    std::int64_t millis;
  };
  std::string_view name;        ///< its label __name__
  std::vector<Line::Tag> tags;  ///< the other labels, by key
  std::vector<Point> points;
  bool histograms = false;  ///< it has native ones too, which nobody reads here
};

/// Reads the body of a remote write, version 1, once it is unpacked: the protocol buffer prometheus.WriteRequest, of
/// which series, their labels and samples are read. Nothing is copied.
class RemoteWriteReader {
 public:
  static constexpr std::size_t kMostLabels = 64;
  static constexpr std::size_t kMaxLabelBytes = 255;
  explicit RemoteWriteReader(std::string_view body) : rest_(body) {}

  /// False at the end, and where the body is none: then broken() is true.
  bool next();
  bool broken() const { return broken_; }
  const RemoteSeries& series() const { return series_; }
  /// Errc::invalid: what is wrong with this series.
  const Status& status() const { return status_; }

 private:
  bool take_series(std::string_view message);
  bool take_label(std::string_view message);
  bool take_point(std::string_view message);

  std::string_view rest_;
  bool broken_ = false;
  RemoteSeries series_;
  Status status_;
};

/// Prometheus' mark of a series that has ended: a NaN of these bits.
bool is_stale(double value);

}  // namespace tidegate::drivers::push
