#pragma once

#include <array>
#include <atomic>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "gateway/app/freshness.h"
#include "gateway/app/rate.h"
#include "gateway/core/clock.h"
#include "gateway/core/intake.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "rules/engine.h"

namespace tidegate::app {

/// The engine room, on one thread: takes what the sources pushed, lets the rules see it, and commits both together. It
/// commits at once when an alert is raised, cleared or acknowledged or when somebody waits for the commit; else when
/// the batch is full or `commit_every` has passed. When the disk refuses, it holds the one batch and tries again; the
/// queue meanwhile drops and counts.
class Pump {
 public:
  struct Limits {
    Micros commit_every = std::chrono::milliseconds(200);
    std::size_t batch_samples = 8192;
  };

  Pump(Intake& intake, journal::Journal& journal, Freshness& freshness, GatewayClock& clock, Metrics& metrics,
       Limits limits);

  /// Rebuilds detectors and alerts from the journal; run() commits what that changed. Before run(), same thread or not.
  void recover(std::vector<rules::Rule> rules);
  /// Until asked to stop and drained.
  void run(std::stop_token stop);

  // Any thread.

  /// New rules, taken over between two commits; alerts of rules that stay go on as they are.
  void replace_rules(std::vector<rules::Rule> rules);
  /// Errc::not_found, Errc::conflict (nothing to acknowledge), Errc::timed_out. Ok once it is on disk.
  Result<AlertRecord> acknowledge(const Acknowledge& wish);
  /// How long ago it last went round.
  Micros age() const;

  struct Store {
    std::string trouble;  ///< why the last commit failed; empty while all is well
    double rate = 0;      ///< samples committed a second
    double samples = 0;   ///< committed since the start
    double commit_p50_ms = 0, commit_p99_ms = 0;
  };
  Store store() const;
  std::vector<rules::Engine::RuleStatus> rule_status() const;
  void measure();  ///< the main loop, each second

 private:
  struct Wish {
    Acknowledge wish;
    std::promise<Result<AlertRecord>> answer;
    std::optional<Result<AlertRecord>> outcome;  ///< told after the commit
  };

  std::vector<rules::Interval> unwatched_times() const;
  void adopt(std::vector<rules::Rule> rules, const std::vector<rules::Interval>& unwatched);
  void intern_literal_series();
  void declare_new_series();
  void warm();
  void warm_from_log();
  void absorb(Intake::Taken& taken, const std::stop_token& stop);
  void take_new_rules(const std::stop_token& stop);
  void tick(const Intake::Taken& taken, Timestamp now);
  void answer_wish(const Event& event);
  void collect();
  bool batch_is_empty() const;
  bool commit_due() const;
  bool commit(std::stop_token stop);
  bool append(std::stop_token stop);
  void after_commit(std::chrono::steady_clock::duration took);
  void each_second();
  void beat();

  Intake& intake_;
  journal::Journal& journal_;
  Freshness& freshness_;
  GatewayClock& clock_;
  const Limits limits_;
  Metric& commit_seconds_;
  Metric& commits_;
  Metric& committed_samples_;
  Metric& clock_steps_;
  Metric& late_samples_;

  // The pump's thread only.
  rules::Engine engine_;
  rules::Output output_;
  Batch batch_;
  Ticket batch_ticket_{};
  struct {
    Ticket ticket{};  ///< the last one given...
    Timestamp time;   ///< ...by this time
  } mark_;
  bool urgent_ = false;
  std::uint64_t declared_version_ = 0;
  std::chrono::steady_clock::time_point batch_began_;
  std::chrono::steady_clock::time_point second_began_;

  std::atomic<std::int64_t> last_beat_{0};  ///< steady clock, µs
  RateMeter rate_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::optional<std::vector<rules::Rule>> next_rules_;
  std::list<Wish> wishes_;
  std::vector<rules::Engine::RuleStatus> rule_status_;
  std::string trouble_;
  std::array<float, 256> commit_ms_{};
  std::size_t commit_count_ = 0;
};

}  // namespace tidegate::app
