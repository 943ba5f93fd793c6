#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/line_protocol.h"
#include "drivers/push/documents.h"
#include "drivers/push/json_body.h"
#include "drivers/push/options.h"
#include "drivers/push/remote_write.h"
#include "drivers/reading.h"
#include "gateway/core/push.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers::push {

/// From a body to samples in the sink. What a value's series is called, and its id, is worked out on first sight and
/// kept in a bounded table. One thread at a time.
class Receiver {
 public:
  /// `options` and `sink` outlive it.
  Receiver(const Options& options, std::string source, Sink& sink);

  /// Pushes what the body holds as one batch; what cannot be used goes to Sink::reject, and is told. Errors are those
  /// of Inlet::take.
  Result<Pushed> take(const Push& push, Timestamp now);

 private:
  struct Origin;
  /// Whose a series is.
  struct Owner {
    const Origin* origin = nullptr;
    Timestamp spoke{};
    Timestamp contested{};
    std::uint64_t request = 0;  ///< in which it spoke last
  };
  /// One value that comes again and again: a field of a measurement with these tags, or a series by its name.
  struct Origin {
    bool described = false, ignored = false;
    std::string problem;  ///< why it has no series
    std::string name;     ///< of its series
    SeriesInfo info;
    Owner* owner = nullptr;
    Feed feed;
  };
  /// A value, and where it stands in the body.
  struct Value {
    std::size_t at;
    std::string_view text;  ///< empty: the item of JSON that is being read
    Reading reading;
    std::optional<Timestamp> time;  ///< nothing: none came with it
    Quality quality = Quality::good;
  };

  Status read_body(const Push& push);
  Status take_json(const Push& push);
  Status take_lines(const Push& push);
  Status take_remote_write(const Push& push);
  Status take_document(const Push& push);
  void take_series(const RemoteSeries& series, std::size_t at);
  void take_line(const Line& line, std::chrono::nanoseconds unit);
  Origin& origin_of(std::string_view identity);
  void set_identity(const Line& line);
  void describe_as(Origin& origin, const Line& line, std::string_view field, Reading::Type type);
  void describe(Origin& origin, std::string name, Reading::Type type);
  Result<std::string> name_of(const Line& line, std::string_view field) const;
  Labels labels_of(const Line& line) const;
  bool names(std::string_view part) const;
  void add(Origin& origin, const Value& value);
  bool may_feed(Origin& origin);
  void stamp(const Value& value, Sample& sample) const;
  void refuse(std::size_t at, std::string_view text, std::string_view reason);

  const Options& options_;
  const std::string source_;
  const std::vector<std::string> parts_;  ///< that the names of series have
  Sink& sink_;
  JsonBody json_;
  std::optional<Documents> documents_;  ///< where the source reads such
  std::vector<Sample> samples_;
  std::string identity_;

  // Of the body that is being taken.
  Pushed pushed_;
  std::string_view from_;
  Timestamp now_{};
  std::uint64_t request_ = 0;
  std::size_t last_refused_ = 0;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, Origin, Hash, std::equal_to<>> origins_;
  std::unordered_map<std::string, Owner, Hash, std::equal_to<>> owners_;  ///< by the series' name
  std::size_t table_bytes_ = 0;                                           ///< about what the two take
};

}  // namespace tidegate::drivers::push
