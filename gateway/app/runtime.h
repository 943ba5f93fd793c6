#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dashboard/server.h"
#include "gateway/app/archivist.h"
#include "gateway/app/chronicle.h"
#include "gateway/app/freshness.h"
#include "gateway/app/parts.h"
#include "gateway/app/pump.h"
#include "gateway/app/settings.h"
#include "gateway/app/source.h"
#include "gateway/app/vitals.h"
#include "gateway/app/wear.h"
#include "gateway/core/clock.h"
#include "gateway/core/intake.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "gateway/state/state.h"
#include "gateway/uplink/runner.h"

namespace tidegate::app {

/// The running gateway: sources -> intake -> pump { engine, journal } -> viewers and uplinks. Started, reloaded and
/// destroyed by the main thread; what the dashboard asks of it comes from any thread.
class Runtime final : public dashboard::Gateway {
 public:
  /// The problems of the configuration go to `problems` (then Errc::invalid); other errors say what is in the way.
  /// `heart` beats while the start goes on, and then with the pump; it outlives the runtime.
  static Result<std::unique_ptr<Runtime>> start(const Settings& settings, Heartbeat& heart, config::Problems& problems);
  ~Runtime() override;

  /// Viewers are told goodbye, sources stop, the pump commits what they left. Gives what was taken in and never will be
  /// on disk. The journal closes with the destructor.
  std::uint64_t finish();
  /// Why the process should end, or empty.
  std::string failure() const { return pump_.failure(); }

  /// Only what changed restarts; problems change nothing. Main thread.
  void reload(const std::filesystem::path& file);
  /// Measures; main thread, about once a second. The sentence is what `systemctl status` shows.
  std::string each_second();
  int port() const { return server_->port(); }
  /// Reloads included.
  const Settings& settings() const { return settings_; }

  dashboard::GatewayView view() const override;
  Micros stale_after(SeriesId series) const override { return freshness_.stale_after(series); }
  Result<AlertRecord> ask(const Wish& wish) override;
  Micros pump_age() const override { return heart_.age(); }

 private:
  /// What all else stands on, and so what closes last.
  struct Ground {
    GatewayClock clock;
    Metrics metrics;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<state::State>
        state;  ///< null where its file cannot be used: what it keeps goes unkept, and is told
  };
  static Result<std::unique_ptr<Ground>> open_ground(const Settings& settings, Heartbeat& heart);
  void open_state();
  Runtime(const Settings& settings, Heartbeat& heart, std::unique_ptr<Ground> ground);

  Surroundings surroundings() const;
  Downstream downstream() { return {intake_, *ground_->journal, ground_->clock, ground_->metrics}; }
  void start_sources(const std::vector<config::Node>& sections, std::vector<std::unique_ptr<drivers::Driver>> drivers);
  void start_uplinks(const std::vector<config::Node>& sections, std::vector<std::unique_ptr<uplink::Uplink>> uplinks);
  void describe_rules(const std::vector<rules::Rule>& rules);
  void note(std::string kind, std::string text);
  void adopt(const config::Texts& texts, std::string_view why);
  void audit(const Wish& wish);
  void measure_wear();
  void tell_notices();
  dashboard::StoreView store_view() const;

  Heartbeat& heart_;
  std::unique_ptr<Ground> ground_;
  Settings settings_;
  const Timestamp started_;
  Vitals vitals_;
  Wear wear_;
  Chronicle chronicle_;
  Intake intake_;
  Freshness freshness_;
  Pump pump_;
  std::jthread pump_thread_;
  std::unique_ptr<Archivist> archivist_;

  mutable std::mutex
      parts_mutex_;  ///< guards the three lists, and wear_, which the main thread changes while the dashboard looks
  std::vector<dashboard::RuleView> rule_views_;
  std::vector<std::unique_ptr<uplink::Runner>> uplinks_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<dashboard::Server> server_;
  std::size_t notices_told_ = 0;  ///< of the journal's
};

}  // namespace tidegate::app
