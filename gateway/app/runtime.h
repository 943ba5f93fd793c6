#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "dashboard/server.h"
#include "dashboard/tls_keeper.h"
#include "gateway/access/access.h"
#include "gateway/app/archivist.h"
#include "gateway/app/chronicle.h"
#include "gateway/app/freshness.h"
#include "gateway/app/parts.h"
#include "gateway/app/peer_certificates.h"
#include "gateway/app/pump.h"
#include "gateway/app/settings.h"
#include "gateway/app/source.h"
#include "gateway/app/vitals.h"
#include "gateway/app/wear.h"
#include "gateway/core/clock.h"
#include "gateway/core/intake.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "gateway/state/point_marks.h"
#include "gateway/state/state.h"
#include "gateway/uplink/runner.h"

namespace tidegate::app {

/// The running gateway: sources -> intake -> pump { engine, journal } -> viewers and uplinks. Started, reloaded and
/// destroyed by the main thread; what the dashboard asks of it comes from any thread.
class Runtime final : public dashboard::Gateway, public dashboard::RuleDesk, public dashboard::PointDesk {
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

  /// Only what changed restarts; problems change nothing. Tells whoever asked for it what came of it. Main thread.
  void reload(const std::filesystem::path& file);
  /// What another thread waits for to be done; main thread, at SIGUSR1.
  void run_errand();
  /// Measures; main thread, about once a second. The sentence is what `systemctl status` shows.
  std::string each_second();
  int port() const { return server_->port(); }
  /// What the port speaks TLS with; null: plain HTTP.
  const dashboard::TlsKeeper* tls() const { return tls_.get(); }
  /// What whoever opens the page first has to know; empty once there is a user.
  std::string claim_code() const { return ground_->access ? ground_->access->claim_code() : ""; }
  /// Reloads included.
  const Settings& settings() const { return settings_; }

  dashboard::GatewayView view() const override;
  Micros stale_after(SeriesId series) const override { return freshness_.stale_after(series); }
  Result<AlertRecord> ask(const Wish& wish) override;
  /// By SIGHUP, so that the main thread does it.
  Result<std::string> ask_reload(const std::string& who) override;
  Result<Pushed> push(const std::string& source, const Push& push) override;
  std::vector<std::uint64_t> sample_counts() const override { return pump_.sample_counts(); }
  Micros pump_age() const override { return heart_.age(); }
  Result<std::string> resubmit(std::int64_t letter, const std::string& who) override;
  dashboard::RuleDesk& rules() override { return *this; }
  dashboard::PointDesk& points() override { return *this; }
  Result<std::filesystem::path> back_up(const std::string& who, const std::function<bool()>& goes_on) override;
  Status factory_reset(const std::string& who) override;
  Result<std::vector<state::StateView::Entry>> deeds(std::size_t limit,
                                                     std::optional<std::int64_t> before) const override;

  std::vector<Point> writable() const override;
  Result<std::string> write(const dashboard::PointWrite& wish) override;

  Result<dashboard::RuleText> rules_text() const override;
  Result<dashboard::RuleText> rules_text(std::int64_t version) const override;
  Result<std::vector<dashboard::RuleVersion>> rule_versions() const override;
  dashboard::RuleCheck check_rules(const std::string& text) const override;
  Result<dashboard::RuleSaved> save_rules(const dashboard::RuleSave& save) override;
  Result<dashboard::RuleSaved> switch_rule(const dashboard::RuleSwitch& wish) override;

 private:
  /// What all else stands on, and so what closes last.
  struct Ground {
    GatewayClock clock;
    Metrics metrics;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<state::State>
        state;  ///< null where its file cannot be used: what it keeps goes unkept, and is told
    std::unique_ptr<access::Access> access;  ///< null likewise: nobody can log in
  };
  static Settings as_restored(const Settings& read, config::Problems& problems);
  static Result<std::unique_ptr<Ground>> open_ground(const Settings& settings, Heartbeat& heart);
  void open_state();
  Runtime(const Settings& settings, Heartbeat& heart, std::unique_ptr<Ground> ground);

  Surroundings surroundings() const;
  Downstream downstream() { return {intake_, *ground_->journal, ground_->clock, ground_->metrics, feeds_}; }
  void start_sources(const std::vector<config::Node>& sections, std::vector<std::unique_ptr<drivers::Driver>> drivers);
  void start_uplinks(const std::vector<config::Node>& sections, std::vector<std::unique_ptr<uplink::Uplink>> uplinks);
  Status room_for_push() const;
  Result<Inlet*> inlet_of(const std::string& source) const;
  /// A point that may be set; its source stays as long as this does.
  struct HeldPoint {
    std::shared_lock<std::shared_mutex> source;
    Outlet* outlet;
    WritablePoint point;
  };
  Result<HeldPoint> hold(const std::string& series) const;
  Status interlock_closed(const WritablePoint& point) const;
  Status set(const HeldPoint& held, const std::string& value) const;
  Status record(const state::Deed& deed);
  state::PointMarks marks() const;
  void start_point_writer();
  void describe_rules(std::vector<dashboard::RuleView> views);
  void note(std::string kind, std::string text);
  void tell_of(const Settings& settings);

  /// A configuration that may take the place of the one at work.
  struct Candidate {
    Settings settings;
    Parts parts;
  };
  Candidate load(const std::filesystem::path& file, const config::References& references, config::Problems& problems);
  /// By whom a configuration comes, and why.
  struct Origin {
    std::string who, why, note;
  };
  std::string put_to_work(Candidate candidate);
  Result<std::string> take_over(const std::filesystem::path& file);
  std::optional<std::promise<Result<std::string>>> take_asked_reload();
  void refuse_reloads();
  void adopt(const config::Texts& texts, const Origin& origin);

  /// One at a time.
  struct Errand {
    std::function<Result<dashboard::RuleSaved>()> work;
    std::promise<Result<dashboard::RuleSaved>> answer;
  };
  Result<dashboard::RuleSaved> by_main_thread(std::function<Result<dashboard::RuleSaved>()> work);
  std::optional<Errand> take_errand();
  Result<dashboard::RuleSaved> save(const dashboard::RuleSave& save);
  Result<dashboard::RuleSaved> turn(const dashboard::RuleSwitch& wish);
  Result<dashboard::RuleSaved> replace_file(const char* name, const std::string& text, const Origin& origin);
  Error changed_meanwhile() const;
  std::vector<std::string> alerts_without(const std::vector<rules::Rule>& rules) const;

  void open_access();
  void audit(const state::Deed& deed);
  Status check_resubmission(std::int64_t id, const DeadLetter& letter) const;
  Result<std::size_t> read_again(const DeadLetter& letter);
  void maintain_access();
  Status open_tls(const Endpoint& endpoint);
  void watch_tls();
  void watch_peers(const dashboard::GatewayView& view);
  std::optional<Timestamp> known_time() const;
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
  PeerCertificates peers_;
  Intake intake_;
  Feeds feeds_;
  Freshness freshness_;
  Pump pump_;
  std::jthread pump_thread_;
  std::unique_ptr<Archivist> archivist_;

  std::mutex push_mutex_;      ///< held while a body is read, so that no source goes away meanwhile; before the next
  bool takes_pushes_ = false;  ///< the sources have been made
  mutable std::mutex parts_mutex_;  ///< guards the three lists, what follows them, and wear_, which the main thread
                                    ///< changes while the dashboard looks
  std::vector<dashboard::RuleView> rule_views_;
  std::vector<std::unique_ptr<uplink::Runner>> uplinks_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<uplink::Runner> point_writer_;  ///< what rules write; null while no point may be set
  std::mutex resubmitting_;
  std::mutex reload_mutex_;  ///< guards the next three
  bool takes_reloads_ = true;
  std::optional<std::promise<Result<std::string>>> reload_asked_;
  std::optional<Errand> errand_;
  std::unique_ptr<dashboard::TlsKeeper> tls_;
  Metric* certificate_ends_ = nullptr;  ///< with tls_ only
  Micros tls_watched_{0};               ///< by the machine's uptime
  std::unique_ptr<dashboard::Server> server_;
  std::size_t notices_told_ = 0;  ///< of the journal's
  int seconds_ = 0;               ///< since access was maintained
};

}  // namespace tidegate::app
