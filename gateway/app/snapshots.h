#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include "gateway/core/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/store_view.h"

namespace tidegate::app {

/// Takes the snapshots that raised alerts ask for, each when its time is over: a reader of the log with a cursor, like
/// any other, that answers a transition's SnapshotWish with a Snapshot. What it has not done by then it finds again
/// after a restart, and what it has done as well: a wish has one answer. One thread.
class Snapshots {
 public:
  /// `settle`: so long after a time all samples of it are on disk.
  Snapshots(journal::Journal& journal, std::filesystem::path directory, const Clock& clock, Micros settle)
      : journal_(journal), directory_(std::move(directory)), clock_(clock), settle_(settle) {}

  /// Takes those whose time is over. An error has lost nothing: ask again later.
  Status take_due(const std::stop_token& stop);

  static constexpr std::size_t kMostSamples = 100'000;  ///< in one; and
  static constexpr std::size_t kMostSeries = 1'000;
  static constexpr std::string_view kCursor = "snapshots";

 private:
  struct Asked {
    Seq seq;
    int ordinal;
    Timestamp raised;
    std::string alert;
    SnapshotWish wish;
  };
  /// What one call goes by.
  struct Look {
    std::set<std::pair<Seq, int>> made;          ///< wishes that have their answer
    std::map<std::string, Timestamp> covered{};  ///< by alert: until when its last snapshot reaches
    std::optional<Seq> pending{};                ///< the first batch with a wish whose time is not over
    bool any = false;                            ///< wish was there
    std::unique_ptr<journal::StoreView> view{};  ///< of the samples, once one is due
  };

  Result<std::set<std::pair<Seq, int>>> made_after(Seq after) const;
  Status look_at(const Asked& asked, Look& look, const std::stop_token& stop);
  Timestamp due(const Asked& asked) const;
  Status take(const Asked& asked, journal::StoreView& view, const std::stop_token& stop);
  Status move(Seq from, Seq to, const Look& look);

  journal::Journal& journal_;
  const std::filesystem::path directory_;
  const Clock& clock_;
  const Micros settle_;
};

}  // namespace tidegate::app
