#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "gateway/journal/store_view.h"

namespace tidegate::journal {

/// Which samples: of series by their places, ascending, in [from, to).
struct Selection {
  std::vector<std::size_t> series;
  Timestamp from = Timestamp::min(), to = Timestamp::max();
  bool newest_first = false;
};

/// All samples of a selection, series by series, each in order of time. It reads as it is asked to, and only the chunks
/// that overlap the selection, each once; at most a day of one series is in memory. What is damaged is passed over and
/// noted in the view's reading. Several of one view may take turns. One thread.
class Scan {
 public:
  Scan(StoreView& view, Selection selection, std::stop_token stop = {});

  struct Portion {
    std::size_t series = 0;
    history::Day day{};
    /// With a number in place of `series`: in every scan of this view the same, and no other's of that series and
    /// day. None: the selection has ended.
    std::span<const Sample> samples;
  };
  /// Good until the next call. Errc::stopped when `stop` came.
  Result<Portion> next();

 private:
  struct Piece {
    Timestamp first, last;
    std::uint32_t number;  ///< of its first sample
    std::size_t file;      ///< of `chunk`
    history::Chunk chunk;
    bool in_log;  ///< else
  };
  struct Stretch {
    Timestamp first, last;
    std::vector<Piece> pieces;
  };

  std::size_t place() const { return selection_.series[at_]; }
  Status begin_series();
  Status begin_day(history::Day day);
  Result<std::vector<Piece>> find_pieces(history::Day day);
  bool overlaps(const Piece& piece) const { return piece.last >= selection_.from && piece.first < selection_.to; }
  Status read(Stretch stretch);
  Result<std::span<const Sample>> rest(history::Day day);
  void take(std::span<const Sample> samples, std::uint32_t number, const std::vector<double>& codes);

  StoreView& view_;
  const Selection selection_;
  const std::stop_token stop_;
  std::size_t at_ = 0;  ///< in selection_.series
  bool begun_ = false;
  history::Day day_{};
  std::vector<history::Day> days_;  ///< of the series, those still to be read, the next one last
  std::vector<Stretch> stretches_;  ///< of the day, likewise
  std::vector<Sample> samples_;
};

}  // namespace tidegate::journal
