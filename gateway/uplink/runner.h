#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/core/backoff.h"
#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "gateway/uplink/uplink.h"

namespace tidegate::uplink {

/// Between tries, doubling. Short, because a far end connects by a backoff of its own.
struct Waits {
  Micros first = std::chrono::seconds(1);
  Micros longest = std::chrono::seconds(5);
  /// The far end has many parts, of which one that is away says nothing of the others: an alert ends a pause, and all
  /// that wait are brought at once.
  bool many_parts = false;
};

/// Carries the journal to one far end, on a thread of its own. It keeps three durable cursors, `uplink/NAME/alerts`,
/// `.../snapshots` and `.../samples`, so that an alert never waits behind a backlog of metrics; each moves only when
/// the far end holds what it passed. Errors are tried again for ever with backoff. Batches that retention took before
/// they could be sent are counted as lost and told to the far end as a gap. The lanes do not wait for each other: what
/// the far end refuses of one holds up that one only. Samples whose times may still be mended wait for that.
class Runner {
 public:
  struct Stats {
    SourceHealth health = SourceHealth::starting;
    std::string text = "connecting";
    std::uint64_t backlog_batches = 0;
    std::uint64_t lost_batches = 0;  ///< since the start; a gap in the alerts counts as one
    std::optional<Timestamp> backlog_oldest;
    std::optional<Timestamp> last_ack;
    double rate = 0;  ///< samples a second delivered
    /// At the present speed; nothing while the backlog does not shrink or something cannot be sent.
    std::optional<double> drain_seconds;
  };

  /// Its section of the configuration.
  struct Section {
    std::string name;
    std::string type;
    std::string meaning;  ///< equal for two sections that mean the same
  };

  Runner(Section section, std::unique_ptr<Uplink> uplink, journal::Journal& journal, const Clock& clock,
         Metrics& metrics, Waits waits = {});
  ~Runner();  ///< stops; what is not acknowledged stays in the backlog

  /// Does nothing when it runs already.
  void start();
  /// The thread says goodbye to the far end and lets go of the uplink, so that many can do so at the same time.
  void ask_to_stop() { thread_.request_stop(); }
  /// Any thread.
  Stats stats() const;
  const std::string& name() const { return section_.name; }
  const std::string& type() const { return section_.type; }
  const std::string& meaning() const { return section_.meaning; }

 private:
  static constexpr std::size_t kAll = SIZE_MAX;

  struct Round {
    bool sent_any = false;
    Status status;
  };

  struct Alerts {
    std::vector<journal::BatchPtr> batches;
    Seq through;  ///< where the cursor stands once they are delivered
  };

  void run(std::stop_token stop);
  void rest(Micros wait, const std::stop_token& stop) const;
  Round round(std::stop_token stop);
  Round send_alerts(Seq after, std::stop_token stop);
  Result<Alerts> alerts_after(Seq after) const;
  Round send_snapshots(Seq after, std::stop_token stop);
  Result<journal::BatchPtr> snapshot_of(journal::StoredEvent stored) const;
  Round send_samples(std::stop_token stop);
  journal::BatchPtr only_wanted(const journal::BatchPtr& batch);
  Status deliver(Lane lane, std::span<const journal::BatchPtr> batches, Seq through, std::stop_token stop);
  Status carry(Lane lane, std::span<const Parcel> parcels, Seq through, std::stop_token stop);
  Status carry_halves(Lane lane, const Parcel& parcel, Seq through, std::stop_token stop);
  Status put_aside(Lane lane, const Parcel& parcel, Seq through, const std::string& why, std::stop_token stop);
  std::string describe(Lane lane, const Parcel& parcel) const;
  Status move(Lane lane, Seq through);
  Status pass(Lane lane, const Parcel& parcel, Seq through);
  void lose(std::uint64_t batches);
  void delivered(Lane lane, std::span<const Parcel> parcels);
  void measure(const Round& done);
  void tell_drain_time(std::optional<double> seconds);

  const Section section_;
  const Waits waits_;
  std::unique_ptr<Uplink> uplink_;  ///< the thread's own once it runs
  journal::Journal& journal_;
  const Clock& clock_;
  Metrics& metrics_;
  Metric& backlog_metric_;
  Metric& delivered_metric_;
  Metric& failures_metric_;
  Metric& lost_metric_;
  Metric& drain_metric_;

  // The thread's own.
  Seq at_{0};          ///< the place of its samples; of its alerts where it carries none
  Seq heard_{0};       ///< the log's last batch when the round began
  bool held_ = false;  ///< samples wait until the clock is set
  struct Place {
    Seq batch{0};
    std::size_t first = 0, count = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct Far {
    std::size_t most = kAll;  ///< samples, or events, that it takes in one message, as far as it has refused more...
    Timestamp found{};        ///< ...when that was last found out
    Seq in{0};                ///< the batch of which parts are delivered...
    std::size_t done = 0;     ///< ...so many of its samples or events
    Place tried;              ///< the next parcel
    int breaks = 0;           ///< how often it went away while that was on its way
  };
  std::array<Far, 3> far_;  ///< by lane
  std::uint64_t delivered_samples_ = 0;
  std::chrono::steady_clock::time_point measured_at_;
  std::uint64_t measured_samples_ = 0;
  std::uint64_t measured_backlog_ = 0;

  mutable std::mutex mutex_;  ///< guards stats_
  Stats stats_;
  std::jthread thread_;
};

}  // namespace tidegate::uplink
