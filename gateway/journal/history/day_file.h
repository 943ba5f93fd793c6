#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/journal/history/names.h"
#include "gateway/journal/history/rollup.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// One pass of compaction, as a day file remembers it.
struct Round {
  std::int64_t id = 0;
  std::string epoch;  ///< the journal's
  Seq first{}, last{};
  Timestamp committed{};  ///< of the last batch
  Timestamp first_time{}, last_time{};
  std::int64_t samples = 0;
};

/// The writing side of a day's file: rounds of compaction are added to it, and its minutes rolled up when the day is
/// over. One thread; a call that fails has changed nothing.
class DayFile {
 public:
  /// Makes the file where it is missing; errors as of open_to_write().
  static Result<DayFile> open(const std::filesystem::path& file, Day day);

  /// The newest round, of whatever epoch.
  Result<std::optional<Round>> last_round();

  /// The samples of one series, in order of time.
  struct Part {
    const Catalogue::Entry& series;
    std::span<const Sample> samples;
  };
  /// Gives the round's parts to `put`, in order of series.
  using Parts = std::function<Status(const std::function<Status(const Part&)>& put)>;
  Status add(Round round, const Parts& parts);
  /// As history::confirm().
  Status confirm();
  /// In a new part of a day: it has the log up to where the part before it has.
  Status continue_from(Round round);

  /// Rolls up the minutes of every series, from all rounds there are. A chunk that cannot be read is left out.
  Status seal();
  Result<bool> sealed();  ///< are all rounds rolled up? A thinned file's are for ever.

 private:
  explicit DayFile(sql::Connection connection, Day day) : connection_(std::move(connection)), day_(day) {}
  Status put(std::int64_t round, const Part& part);
  Status roll_up(std::int64_t series, sql::Statement& minutes);

  sql::Connection connection_;
  Day day_;
};

/// The newest batch of that log that any day's file has; what cannot be read tells nothing.
Seq last_of(const std::filesystem::path& directory, const std::string& epoch);

/// What DayFile::open opens, for those who write it another way.
Result<sql::Connection> open_day_to_write(const std::filesystem::path& file);

/// Which rounds a reader may see: those whose samples are not read from the log as well.
struct Visible {
  std::string_view epoch;
  Seq through;
};
/// The minutes of one series that are rolled up, and the rounds that these hold.
struct Minutes {
  std::int64_t sealed = 0;                     ///< rounds up to this are in `rollups`, 0: none
  std::optional<std::vector<Rollup>> rollups;  ///< nothing: the series has too few samples to be rolled up
};

/// What a reader had to pass over.
struct Unreadable {
  std::uint64_t chunks = 0, samples = 0;
  std::set<std::filesystem::path> files;  ///< where; to be repaired
};

/// Where a chunk is and what it holds, as its row says.
struct Chunk {
  std::int64_t key;
  Timestamp first_time, last_time;
  std::int64_t samples;
};
/// Those of one series, in order of round.
Result<std::vector<Chunk>> list_chunks(sql::Connection& connection, std::int64_t series, const Visible& visible);
/// Its samples, with series 0. Errc::corrupt where it is damaged or not what its row says.
Status read_chunk(sql::Connection& connection, const Chunk& chunk, std::vector<Sample>& samples);

/// The chunks of one series that overlap [from, to), of rounds after `after`, in order of round. Samples come with
/// series 0. A damaged one is counted and passed over.
Status read_chunks(sql::Connection& connection, std::int64_t series, const Visible& visible, std::int64_t after,
                   Timestamp from, Timestamp to, const std::function<void(std::span<const Sample>)>& take,
                   Unreadable& unreadable);
Result<Minutes> read_minutes(sql::Connection& connection, std::int64_t series);

}  // namespace tidegate::journal::history
