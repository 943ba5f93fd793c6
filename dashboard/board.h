#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dashboard/selection.h"
#include "dashboard/server.h"
#include "dashboard/sse.h"
#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/journal/journal.h"

namespace tidegate::dashboard {

/// The picture that every viewer shares: the latest value of each series, the alerts and the state, as far as the
/// journal has been read; and its encoding as events. What changes is stamped with a tick, so that one number a viewer
/// says what that viewer has not seen: a slow viewer costs no memory, it just gets the latest values later.
/// Not thread-safe; the hub owns it.
class Board {
 public:
  using Tick = std::uint64_t;

  Board(const Options& options, const journal::Journal& journal, Gateway& gateway, const Clock& clock);

  /// Reads the whole picture from the journal; position() is then its newest batch.
  void load();
  /// Takes a committed batch in. What is durable in it (announced alerts, source changes), with its id, is returned as
  /// events; empty where there is none. A batch that is a gap loads the picture again.
  std::string apply(const Batch& batch);
  Seq position() const { return position_; }

  /// Asks the gateway for its state, and the journal again for alerts that could not be read; once a second is enough.
  void refresh_state();
  /// Closes the tick: changes from here on are of the next one. Returns the tick closed.
  Tick close_tick() { return open_++; }

  std::string hello() const;
  /// The whole picture, of the series selected; a viewer that got it has seen everything up to the tick that
  /// close_tick() returned before.
  std::string snapshot(Selection& selection) const;
  /// `series`, `delta`, `alerts` and `state` events for what changed after tick `seen`; empty where nothing did.
  std::string changes_since(Tick seen, Selection& selection) const;

  /// Every durable event after `id`, or a `gap` event saying why that cannot be told, or both.
  std::string replay(std::string_view last_event_id) const;

  static constexpr std::size_t kMaxReplay = 1000;  ///< events; beyond it a client does better to load the log by REST

 private:
  struct Shown {
    std::string quoted_name, head;
    Micros stale_after{0};
    Sample latest;
    Tick value_changed = 0, description_changed = 0;
  };

  void load_values();
  void load_alerts();
  void take(const Sample& sample);
  void describe(std::size_t count);
  void renew(const journal::Catalogue::Entry& entry);
  void notice_staleness();
  std::string alerts_text() const;
  std::string state_text() const;
  std::string series_list(Tick seen, Selection& selection) const;
  std::string values(Tick seen, Selection& selection) const;
  std::string id(Seq seq) const;
  std::string durable(Seq seq, const std::vector<Event>& events) const;
  std::string replay_after(Seq seq) const;
  std::string gap(std::string_view first, std::string_view last, std::string_view why) const;

  const Options& options_;
  const journal::Journal& journal_;
  Gateway& gateway_;
  const Clock& clock_;

  Tick open_ = 1;
  Seq position_{};
  std::vector<Shown> series_;
  std::uint64_t catalogue_version_ = 0;
  std::map<std::string, AlertRecord> alerts_;
  bool alerts_known_ = false;  ///< else some may be missing: viewers are not told that these are all
  Tick alerts_changed_ = 0;
  std::string state_;  ///< without its time
  Tick state_changed_ = 0;
};

}  // namespace tidegate::dashboard
