#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/fields.h"
#include "drivers/point.h"

namespace tidegate::drivers {

/// The series of records that come again and again, such as a URL's JSON or a sensor's lines: each value's point, made
/// on first sight. One thread.
class FieldPoints {
 public:
  static constexpr std::size_t kMostPaths = 10'000;
  using Name = std::function<std::string(std::string_view field)>;  ///< of a field's series

  FieldPoints(FieldsRule rule, Name name, Micros every);

  /// Asks for the series whose kind is known already. What failed, in words.
  Status open(Sink& sink);

  struct Record {
    std::span<const Leaf> leaves;
    Timestamp now;
    bool whole = false;  ///< it must have all named fields: those it lacks become bad samples
  };
  /// Adds a sample for each value that is to have one. What is wrong with them, in words; "" where nothing is. A whole
  /// record whose own time is that of the one before is none.
  std::string take(Sink& sink, const Record& record, std::vector<Sample>& samples);
  /// Adds a bad sample for each point that is known.
  void lose(Reason why, Timestamp time, std::vector<Sample>& samples);

 private:
  struct Entry {
    FieldRule rule;
    std::optional<SeriesKind> natural;  ///< once it is known
    std::optional<Point> point;         ///< nothing: it is ignored
    std::uint64_t seen = 0;             ///< in which record
  };
  struct Stamp {
    Timestamp time;
    Quality quality = Quality::good;
    Reason reason = Reason::none;
    bool old = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Stamp stamp_of(const Record& record);
  Entry* entry_of(std::span<const Leaf> record, const Leaf& leaf);
  void lose_missing(const Stamp& stamp, std::string& problems, std::vector<Sample>& samples);

  const FieldsRule rule_;
  const Name name_;
  const Micros every_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;  ///< by path
  Entry passed_over_;
  std::optional<Timestamp> last_;
  std::uint64_t record_ = 0;
};

}  // namespace tidegate::drivers
