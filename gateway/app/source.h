#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_set>

#include "dashboard/server.h"
#include "drivers/driver.h"
#include "gateway/app/feeds.h"
#include "gateway/app/rate.h"
#include "gateway/app/source_report.h"
#include "gateway/core/intake.h"
#include "gateway/core/sink.h"
#include "gateway/journal/journal.h"

namespace tidegate::app {

/// What every source leads to. All outlive the sources.
struct Downstream {
  Intake& intake;
  journal::Journal& journal;
  const Clock& clock;
  Metrics& metrics;
  Feeds& feeds;
};

/// What one source's driver sees of the gateway: names go to the catalogue, samples to the queue, health to the
/// journal, what is unusable to the dead letters. Any thread.
class SourceSink final : public Sink {
 public:
  SourceSink(const config::Node& section, Downstream downstream);
  ~SourceSink() override { leave(); }

  /// Errc::conflict: another source that runs feeds it.
  Result<SeriesId> series(std::string_view name, const SeriesInfo& info) override;
  Result<SeriesId> series_with_report(std::string_view name, const SeriesInfo& info) override;
  Result<double> label(SeriesId series, std::string_view text) override;
  Ticket push(std::span<const Sample> samples) override;
  bool wait_committed(Ticket ticket, std::stop_token stop) override;
  void report(SourceHealth health, std::string_view text) override;
  void reject(std::string_view topic, std::string_view payload, std::string_view reason) override;

  /// Others may feed its series.
  void leave() { downstream_.feeds.leave(feeder_); }
  dashboard::SourceView view() const;
  void measure() { rate_.update(static_cast<std::uint64_t>(samples_metric_.value())); }  ///< the main loop, each second

 private:
  /// `whole`: with all that the section says.
  Result<SeriesId> intern(std::string_view name, SeriesInfo whole);
  Status claim(SeriesId series, std::string_view name);
  /// The driver's, or what the section says where that has none.
  Micros interval_of(const SeriesInfo& info) const {
    return info.expected_interval > Micros{0} || interval_ == Micros{0} ? info.expected_interval : interval_;
  }

  Downstream downstream_;
  const std::string name_;
  const std::string type_;
  const Feeds::Feeder feeder_;
  const std::size_t max_series_;
  const Labels labels_;
  const Micros interval_;                       ///< as SeriesInfo has it, where the driver gives none
  const std::unique_ptr<SourceReport> report_;  ///< null where every sample is stored
  Metric& samples_metric_;
  Metric& rejected_metric_;
  std::atomic<std::uint64_t> rejected_{0};
  RateMeter rate_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::unordered_set<std::uint32_t> series_;
  SourceHealth health_ = SourceHealth::starting;
  std::string text_ = "starting";
  Timestamp since_;
};

/// A configured source while it runs: its driver on a thread of its own, started again after a pause when it gives up.
class Source {
 public:
  Source(const config::Node& section, std::unique_ptr<drivers::Driver> driver, Downstream downstream);
  ~Source();  ///< asks the driver to stop and waits for it, and for whoever holds it

  /// Does nothing when it runs already.
  void start();
  /// And leaves its series to others.
  void ask_to_stop() {
    sink_.leave();
    thread_.request_stop();
  }
  const std::string& name() const { return name_; }
  /// How many samples a letter of its own gave that its driver read once more; Errc::conflict: none, and why. Any
  /// thread.
  Result<std::size_t> take_again(const DeadLetter& letter);
  /// Equal for two sections that mean the same.
  const std::string& meaning() const { return meaning_; }
  dashboard::SourceView view() const;
  void measure() { sink_.measure(); }
  /// Null where nobody pushes to it.
  Inlet* inlet() { return driver_->inlet(); }
  /// Null where nothing of it may be set.
  Outlet* outlet() { return driver_->outlet(); }
  /// So long it stays. Of one that nobody can find any more no new hold is taken, so its end waits for those alone that
  /// set something already.
  std::shared_lock<std::shared_mutex> hold() { return std::shared_lock(held_); }

 private:
  void run(std::stop_token stop);

  const std::string name_;
  const std::string meaning_;
  SourceSink sink_;
  std::unique_ptr<drivers::Driver> driver_;
  std::shared_mutex held_;
  std::jthread thread_;
};

}  // namespace tidegate::app
