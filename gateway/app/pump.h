#pragma once

#include <array>
#include <atomic>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/app/freshness.h"
#include "gateway/app/heartbeat.h"
#include "gateway/app/rate.h"
#include "gateway/app/tally.h"
#include "gateway/core/clock.h"
#include "gateway/core/intake.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "rules/engine.h"

namespace tidegate::app {

/// The engine room, on one thread: takes what the sources pushed, lets the rules see it, and commits both together. It
/// commits at once when an alert is raised, cleared, acknowledged or shelved or when somebody waits for the commit;
/// else when the batch is full or `commit_every` has passed. When the disk refuses, it holds the batch and tries again
/// later and later, while the rules go on; held samples are bounded, and given up together, counted. Of a full disk
/// alerts get the part that the journal keeps for them.
class Pump {
 public:
  struct Limits {
    Micros commit_every = std::chrono::milliseconds(200);
    std::size_t batch_samples = 8192;
  };

  /// `heart` beats with each round.
  Pump(Intake& intake, journal::Journal& journal, Freshness& freshness, GatewayClock& clock, Heartbeat& heart,
       Metrics& metrics, Limits limits);

  /// Rebuilds detectors and alerts from the journal; run() commits what that changed. Before run(), same thread or not.
  void recover(std::vector<rules::Rule> rules);
  /// Until asked to stop and drained, or given up: a disk that refuses has a few seconds then. Or until `failure()`.
  void run(std::stop_token stop);

  // Any thread.

  /// New rules, taken over between two commits; alerts of rules that stay go on as they are.
  void replace_rules(std::vector<rules::Rule> rules);
  /// The alert after it, once that is on disk. Errc::not_found, Errc::conflict (nothing to change), Errc::timed_out.
  Result<AlertRecord> ask(const Wish& wish);
  /// Why it cannot go on and the process should end, or empty.
  std::string failure() const;
  /// Samples and events that were taken in and never will be on disk; what it still held counts when run() has ended.
  std::uint64_t lost() const { return lost_; }

  struct Store {
    std::string trouble;  ///< why the last commit failed; empty while all is well
    bool takes_samples = true;
    bool takes_alerts = true;        ///< also while samples wait for room, as far as the journal keeps some for them
    std::size_t alerts_waiting = 0;  ///< transitions that are not on disk yet, because it refuses
    double rate = 0;                 ///< samples committed a second
    double samples = 0;              ///< committed since the start
    double commit_p50_ms = 0, commit_p99_ms = 0;
  };
  Store store() const;
  std::vector<rules::Engine::RuleStatus> rule_status() const;
  std::vector<rules::Engine::RuleStatus> derived_status() const;
  std::optional<Flood> flood() const;                                           ///< the one that is on
  std::vector<std::uint64_t> sample_counts() const { return tally_.counts(); }  ///< of each series, by id
  void measure();                                                               ///< the main loop, each second

 private:
  struct Asked {
    Wish wish;
    std::promise<Result<AlertRecord>> answer;
    std::optional<Result<AlertRecord>> outcome;  ///< told after the commit
  };

  std::vector<rules::Interval> unwatched_times() const;
  std::vector<Event> told_lately() const;
  bool adopt(std::vector<rules::Rule>& rules, const std::vector<rules::Interval>& unwatched);
  void intern_literal_series();
  void declare_new_series();
  void intern_made_series();
  void take_learned();
  void warm();
  void warm_from_log();
  void absorb(Intake::Taken& taken);
  void take_new_rules();
  void use_later(std::vector<rules::Rule> rules);
  void tick(const Intake::Taken& taken, Timestamp now);
  void answer_wish(const Event& event);
  const char* take(const Wish& wish, Timestamp now);
  Result<AlertRecord> fulfil(const Wish& wish, Timestamp now);
  void collect(std::span<const Sample> told = {});
  bool batch_is_empty() const;
  bool commit_due() const;
  bool commit();
  bool commit_batch();
  void commit_events();
  void tell_what_waits();
  void refused(const Error& why);
  void shed(const std::string& why);
  void after_commit(std::size_t samples, std::chrono::steady_clock::duration took);
  void answer_wishes();
  void each_second();
  void correct_clock();
  void look_at_clock();
  void mend_what_waits(const Moment& before, Timestamp until, Micros by);
  void tell(std::string trouble);

  Intake& intake_;
  journal::Journal& journal_;
  Freshness& freshness_;
  GatewayClock& clock_;
  Heartbeat& heart_;
  const Limits limits_;
  Metric& commit_seconds_;
  Metric& commits_;
  Metric& committed_samples_;
  Metric& clock_steps_;
  Metric& clock_set_;
  Metric& late_samples_;
  Metric& alerts_waiting_;

  // The pump's thread only.
  rules::Engine engine_;
  rules::Output output_;
  Batch batch_;
  Ticket batch_ticket_{};
  struct {
    Ticket ticket{};  ///< the last one given...
    Timestamp time;   ///< ...by this time
  } mark_;
  ClockState clock_state_;
  struct {
    Timestamp from, to;
    Micros by{0};
    std::chrono::steady_clock::time_point until;
  } late_stamps_;  ///< from before the clock was set, on their way still
  bool urgent_ = false;
  std::uint64_t declared_version_ = 0;
  std::chrono::steady_clock::time_point batch_began_;
  std::chrono::steady_clock::time_point second_began_;
  // While the disk refuses.
  std::chrono::steady_clock::time_point retry_at_;
  Micros pause_{0};         ///< before the next try; 0 while all is well
  bool full_ = false;       ///< it is for want of room...
  bool alerts_fit_ = true;  ///< ...but not of room for alerts

  std::atomic<std::uint64_t> lost_{0};
  RateMeter rate_;
  Tally tally_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::optional<std::vector<rules::Rule>> next_rules_;
  std::list<Asked> wishes_;
  std::vector<rules::Engine::RuleStatus> rule_status_, derived_status_;
  std::optional<Flood> flood_;
  std::string trouble_;
  bool takes_samples_ = true, takes_alerts_ = true;
  std::string failure_;
  std::array<float, 256> commit_ms_{};
  std::size_t commit_count_ = 0;
};

}  // namespace tidegate::app
