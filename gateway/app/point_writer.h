#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "gateway/state/state.h"
#include "gateway/uplink/uplink.h"

namespace tidegate::app {

/// What a PointWriter has of the gateway. Called by its thread.
struct PointDoors {
  std::function<Status(const state::Deed&)> record;  ///< on disk when it returns
  /// Likewise; and that of the point that it is about all wishes up to this batch are over.
  std::function<Status(const state::Deed&, Seq)> end;
  /// Up to where they are, by point: since earlier runs, or because people have set it.
  std::function<Result<std::map<std::string, Seq, std::less<>>>()> ended;
  /// Once, within its limits and its interlock, read back; takes a few time-outs of a device at most. Errc::invalid and
  /// Errc::not_found: never.
  std::function<Status(std::string_view point, std::string_view value)> set;
  /// The clock was set, so that what an earlier run decided has a known age.
  std::function<bool()> knows_time;
};

/// The far end of what rules `write`: points of devices. A Runner brings it the alerts, as to any uplink, and its
/// cursor stands behind those of which every point is set or given up.
///
/// A point that cannot be set is tried again, beside the others, until what is wanted is as old as its rule allows;
/// then it is given up, since a valve that moves when nobody expects it any more is worse than one that does not. Given
/// up, too, is what an earlier run decided, while nobody knows how long ago that was. Where a rule, or two, want
/// several values of one point, the newest counts; and what an alert asked for while it called somebody nobody wants
/// once it is over or silenced. What somebody sets by hand counts as the newest, too.
///
/// The audit has what is to be set before it is sent, and what came of it; what is given up is a dead letter and
/// counted as uplink/points/given_up. With what came of it is kept how far its point is, since the cursor waits for the
/// slowest of all: so nothing that was done is done again after a restart. Only after a kill between the write and that
/// is it set again, to the same value.
class PointWriter final : public uplink::Uplink {
 public:
  static constexpr std::string_view kName = "points";  ///< among the uplinks

  /// All outlive it. `began`: when this run did.
  PointWriter(PointDoors doors, journal::Journal& journal, const Clock& clock, Metrics& metrics, Timestamp began);

  bool carries(uplink::Lane lane) const override { return lane == uplink::Lane::alerts; }
  Status reach(std::stop_token) override { return {}; }
  Status send(uplink::Lane lane, std::span<const uplink::Parcel> parcels, std::stop_token stop) override;

 private:
  /// A batch, an event in it, and one of its settings.
  using Place = std::tuple<Seq, std::size_t, std::size_t>;
  struct Wish {
    Place place;
    const AlertTransition* transition;
    const PointSetting* setting;
  };
  /// What is known of one that was looked at.
  struct Progress {
    bool recorded = false, over = false;
    std::string trouble;
  };

  /// What came after a moment of the log: gathered while it is walked back through.
  struct Since {
    std::set<std::string_view> points;                   ///< for which there is a newer wish
    std::map<std::string_view, std::string_view> quiet;  ///< alerts that call nobody any more, and since what
    std::set<std::pair<std::string_view, std::string_view>>
        owed;  ///< of alerts that were raised: set when they are over
    void add(const AlertTransition& transition);
    std::string outdoes(const AlertTransition& transition, const PointSetting& setting) const;
  };

  static state::Deed deed(const Wish& wish, std::string detail);
  static void tell(const Status& kept, const Wish& wish);
  std::vector<Wish> wishes_of(std::span<const uplink::Parcel> parcels);
  bool still_wanted(const Wish& wish, Since& since);
  void attempt(const Wish& wish, Progress& progress);
  std::string too_old(const PointSetting& setting) const;
  void give_up(const Wish& wish, Progress& progress, const std::string& why);
  void end(const Wish& wish, Progress& progress, const std::string& detail);

  const PointDoors doors_;
  journal::Journal& journal_;
  const Clock& clock_;
  const Timestamp began_;
  Metric& given_up_;
  std::map<Place, Progress> progress_;             ///< of those that the cursor is not behind
  std::map<std::string, Seq, std::less<>> ended_;  ///< by earlier runs, and by people
};

}  // namespace tidegate::app
