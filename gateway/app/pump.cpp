#include "gateway/app/pump.h"

#include <algorithm>
#include <thread>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// Timers of rules are looked at this often.
constexpr Micros kTick = 100ms;
/// Under load it goes round this often and takes many samples at once, instead of waking for each.
constexpr auto kPace = 1ms;
/// A disk that refuses at shutdown is asked for so long in all; then what is left is given up and counted.
constexpr auto kLastTry = 3s;
/// How soon a disk that refuses is asked again: at first, and at most.
constexpr Micros kFirstPause = 50ms, kLongestPause = 5s;
/// So many samples wait for a disk that refuses, beside those in the queue.
constexpr std::size_t kMostHeld = 65'536;
constexpr auto kAnswerTimeout = 5s;
/// So long after the clock was set a sample may come that was stamped before: a slow device's.
constexpr auto kOnItsWay = 1min;
/// And so long, at most, is one on its way that was stamped right before a step.
constexpr auto kUnderWay = 10s;

std::optional<Wish> wish_of(const Event& event) {
  if (const auto* wish = std::get_if<Acknowledge>(&event.body)) return *wish;
  if (const auto* wish = std::get_if<Shelve>(&event.body)) return *wish;
  if (const auto* wish = std::get_if<Comment>(&event.body)) return *wish;
  return std::nullopt;
}

}  // namespace

Pump::Pump(Intake& intake, journal::Journal& journal, Freshness& freshness, GatewayClock& clock, Heartbeat& heart,
           Metrics& metrics, Limits limits)
    : intake_(intake),
      journal_(journal),
      freshness_(freshness),
      clock_(clock),
      heart_(heart),
      limits_(limits),
      commit_seconds_(metrics.gauge("journal/commit_time", "s", "How long the last commit took, fsync included.")),
      commits_(metrics.counter("journal/commits", "", "Batches committed.")),
      committed_samples_(metrics.counter("journal/committed_samples", "", "Samples on disk.")),
      clock_steps_(metrics.counter("clock/steps", "", "Times that the system clock was set while running.")),
      clock_set_(
          metrics.gauge("clock/set", "", "1: the network or a battery has set the system clock; 0: nobody has.")),
      late_samples_(metrics.counter("rules/late_samples", "",
                                    "Samples older than their series' newest: stored, shown, and not evaluated.")),
      alerts_waiting_(metrics.gauge("journal/alerts_waiting", "",
                                    "Alerts raised, cleared or acknowledged that wait for a disk that refuses.")),
      engine_({}),
      clock_state_(clock.state()),
      second_began_(Steady::now()) {
  clock_set_.set(clock_state_ == ClockState::set ? 1 : 0);
}

void Pump::run(std::stop_token stop) {
  Intake::Taken taken;
  auto last_round = Steady::now();
  std::optional<Steady::time_point> give_up_at;
  while (failure().empty()) {
    if (!taken.awaited || pause_ > Micros{0}) std::this_thread::sleep_until(last_round + kPace);
    last_round = Steady::now();
    heart_.beat();
    const bool stopping = stop.stop_requested();
    if (stopping && !give_up_at) {
      give_up_at = last_round + kLastTry;
      retry_at_ = {};
    }
    const Micros wait = stopping ? Micros{0} : batch_.samples.empty() ? kTick : std::min(kTick, limits_.commit_every);
    intake_.take(taken, limits_.batch_samples, wait, stop);
    const bool nothing_came = taken.samples.empty() && taken.events.empty();
    absorb(taken);
    const bool drained = stopping && nothing_came;
    const bool stored = (commit_due() || drained) && commit();
    if (drained && (stored || last_round >= *give_up_at)) break;
    each_second();
  }
  lost_ += batch_.samples.size() + batch_.events.size() + (failure().empty() ? 0 : intake_.stats().depth);
}

void Pump::absorb(Intake::Taken& taken) {
  take_new_rules();
  const bool was_empty = batch_is_empty();
  declare_new_series();
  if (Steady::now() < late_stamps_.until) {
    restamp(taken.samples, late_stamps_.from, late_stamps_.to, late_stamps_.by);
  }
  const Timestamp now = clock_.now();
  engine_.observe(taken.samples, now, output_);
  freshness_.observe(taken.samples, now);
  tally_.count(taken.samples);
  collect(taken.samples);
  for (Event& event : taken.events) {
    answer_wish(event);
    batch_.events.push_back(std::move(event));
  }
  tick(taken, now);
  collect();
  take_learned();
  batch_ticket_ = taken.last;
  urgent_ = urgent_ || taken.awaited;
  if (was_empty) batch_began_ = Steady::now();
  if (batch_.samples.size() > kMostHeld) shed("the disk does not take them");
}

/// What still waits in the queue may be the answer of a sensor that looks silent. So the engine's clock goes only as
/// far as all has been seen that had come by then: to now where the queue is empty, else to the mark of an earlier
/// round.
void Pump::tick(const Intake::Taken& taken, Timestamp now) {
  if (taken.last < mark_.ticket) return;
  engine_.tick(taken.last == taken.newest ? now : mark_.time, output_);
  mark_ = {taken.newest, now};
}

void Pump::collect(std::span<const Sample> told) {
  urgent_ = urgent_ || !output_.events.empty();
  std::move(output_.events.begin(), output_.events.end(), std::back_inserter(batch_.events));
  std::move(output_.alerts.begin(), output_.alerts.end(), std::back_inserter(batch_.alerts));
  freshness_.observe(output_.samples, clock_.now());
  tally_.count(output_.samples);
  output_.append_samples(told, batch_.samples);
  output_.clear();
}

void Pump::answer_wish(const Event& event) {
  const std::optional<Wish> wish = wish_of(event);
  if (!wish) return;
  Result<AlertRecord> outcome = fulfil(*wish, event.time);
  collect();
  const std::lock_guard lock(mutex_);
  const auto same = [&](const Asked& asked) { return !asked.outcome && asked.wish == *wish; };
  const auto asked = std::find_if(wishes_.begin(), wishes_.end(), same);
  if (asked == wishes_.end()) return;
  asked->outcome = std::move(outcome);
  urgent_ = true;
}

/// Null, or why there is nothing to do.
const char* Pump::take(const Wish& wish, Timestamp now) {
  if (const auto* acknowledge = std::get_if<Acknowledge>(&wish)) {
    return engine_.acknowledge(*acknowledge, now, output_) ? nullptr : "has nothing to acknowledge";
  }
  if (const auto* shelve = std::get_if<Shelve>(&wish)) {
    return engine_.shelve(*shelve, now, output_) ? nullptr : "is not shelved";
  }
  return engine_.comment(std::get<Comment>(wish), now, output_) ? nullptr : "is gone";
}

Result<AlertRecord> Pump::fulfil(const Wish& wish, Timestamp now) {
  const std::string& id = alert_of(wish);
  if (!engine_.knows(id))
    return fail(Errc::not_found, "there is no alert '{}': no rule of that name watches such a series", printable(id));
  if (const char* refused = take(wish, now)) return fail(Errc::conflict, "alert '{}' {}", printable(id), refused);
  const auto of_id = [&](const AlertRecord& alert) { return alert.id == id; };
  return *std::find_if(output_.alerts.rbegin(), output_.alerts.rend(), of_id);
}

bool Pump::batch_is_empty() const { return batch_.samples.empty() && batch_.events.empty() && batch_.alerts.empty(); }

bool Pump::commit_due() const {
  return urgent_ || batch_.samples.size() >= limits_.batch_samples ||
         (!batch_is_empty() && Steady::now() - batch_began_ >= limits_.commit_every);
}

/// False: not on disk. It is held, and tried again when its time has come.
bool Pump::commit() {
  const bool stored = commit_batch();
  tell_what_waits();
  return stored;
}

bool Pump::commit_batch() {
  const std::size_t samples = batch_.samples.size();
  if (!batch_is_empty()) {
    const auto began = Steady::now();
    if (began < retry_at_) {
      if (full_ && urgent_) commit_events();
      return false;
    }
    if (const auto done = journal_.append(batch_); !done) {
      refused(done.error());
      return false;
    }
    after_commit(samples, Steady::now() - began);
  }
  intake_.committed(batch_ticket_);
  batch_ = Batch{};
  batch_.samples.reserve(std::min(samples, limits_.batch_samples));
  urgent_ = false;
  answer_wishes();
  return true;
}

/// What alerts say has room when samples have none; they follow when there is some again.
void Pump::commit_events() {
  urgent_ = false;
  Batch events;
  events.events.swap(batch_.events);
  events.alerts.swap(batch_.alerts);
  if (events.events.empty() && events.alerts.empty()) return;
  alerts_fit_ = journal_.append(events).has_value();
  if (alerts_fit_) return answer_wishes();
  batch_.events.swap(events.events);
  batch_.alerts.swap(events.alerts);
}

void Pump::tell_what_waits() {
  const bool refuses = pause_ > Micros{0};
  const auto is_alert = [](const Event& event) { return std::holds_alternative<AlertTransition>(event.body); };
  const auto waiting = refuses ? std::count_if(batch_.events.begin(), batch_.events.end(), is_alert) : 0;
  alerts_waiting_.set(static_cast<double>(waiting));
  const std::lock_guard lock(mutex_);
  takes_samples_ = !refuses;
  takes_alerts_ = !refuses || (full_ && alerts_fit_);
}

void Pump::refused(const Error& why) {
  tell(why.text);
  if (why.code == Errc::invalid) {  // a bug of ours: for ever would not be long enough
    lost_ += batch_.events.size();
    batch_.events.clear();
    batch_.alerts.clear();
    return shed(why.text);
  }
  if (why.code == Errc::corrupt) {
    const std::lock_guard lock(mutex_);
    failure_ = why.text;
    return;
  }
  full_ = why.code == Errc::full;
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  retry_at_ = Steady::now() + pause_;
  if (full_) commit_events();
}

/// The samples that are held will not be on disk, and whoever waits for them hears it.
void Pump::shed(const std::string& why) {
  lost_ += batch_.samples.size();
  batch_.events.push_back(
      {clock_.now(), Notice{"storage", fmt::format("{} samples are lost: {}", batch_.samples.size(), why)}});
  batch_.samples.clear();
  intake_.give_up(batch_ticket_);
}

void Pump::after_commit(std::size_t samples, Steady::duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  commit_seconds_.set(seconds);
  commits_.add();
  committed_samples_.add(static_cast<double>(samples));
  pause_ = Micros{0};
  retry_at_ = {};
  full_ = false;
  alerts_fit_ = true;
  const std::lock_guard lock(mutex_);
  trouble_.clear();
  commit_ms_[commit_count_++ % commit_ms_.size()] = static_cast<float>(seconds * 1e3);
}

void Pump::answer_wishes() {
  const std::lock_guard lock(mutex_);
  for (auto wish = wishes_.begin(); wish != wishes_.end();) {
    if (!wish->outcome) {
      ++wish;
      continue;
    }
    wish->answer.set_value(std::move(*wish->outcome));
    wish = wishes_.erase(wish);
  }
}

void Pump::tell(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

std::string Pump::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Pump::each_second() {
  const auto now = Steady::now();
  if (now - second_began_ < 1s) return;
  second_began_ = now;
  correct_clock();
  const Status maintained = journal_.maintain();
  late_samples_.set(static_cast<double>(engine_.late_samples()));
  auto status = engine_.status(), derived = engine_.derived_status();
  const std::lock_guard lock(mutex_);
  if (!maintained && trouble_.empty()) trouble_ = maintained.error().text;
  if (maintained && pause_ == Micros{0} && !next_rules_) trouble_.clear();
  rule_status_ = std::move(status);
  derived_status_ = std::move(derived);
  flood_ = engine_.flood();
}

/// A clock that was set forwards was not watched by in the time that it left out.
void Pump::correct_clock() {
  const Moment before = clock_.moment();
  const auto by = clock_.correct();
  look_at_clock();
  if (!by) return;
  const Timestamp now = clock_.now();
  if (*by > Micros{0}) {
    freshness_.forget_last();
    mend_what_waits(before, now - *by, *by);
  }
  clock_steps_.add();
  batch_.events.push_back({now, ClockStep{*by}});
  if (*by > Micros{0}) engine_.resume(now, output_);
  collect();
  urgent_ = true;
}

/// Of a clock that was never set all that it stamped is mended: what is committed by the journal, and here what is not
/// yet. Of one that was, what comes in a moment with a time from before the step: it would seem to come out of the time
/// that nobody watched, and the next one to end a long silence.
void Pump::mend_what_waits(const Moment& before, Timestamp until, Micros by) {
  const Timestamp from = before.settled ? until - kUnderWay : Timestamp{before.ahead};
  late_stamps_ = {from, until, by, Steady::now() + kOnItsWay};
  if (!before.settled) restamp(batch_.samples, from, until, by);
}

void Pump::look_at_clock() {
  const ClockState state = clock_.state();
  if (state == std::exchange(clock_state_, state)) return;
  clock_set_.set(state == ClockState::set ? 1 : 0);
  batch_.events.push_back({clock_.now(), Notice{"clock", std::string(in_words(state))}});
}

Result<AlertRecord> Pump::ask(const Wish& wish) {
  std::future<Result<AlertRecord>> answer;
  std::list<Asked>::iterator place;
  {
    const std::lock_guard lock(mutex_);
    place = wishes_.insert(wishes_.end(), Asked{wish, {}, {}});
    answer = place->answer.get_future();
  }
  const EventBody body = std::visit([](const auto& one) { return EventBody(one); }, wish);
  if (intake_.post(Event{clock_.now(), body}) && answer.wait_for(kAnswerTimeout) == std::future_status::ready) {
    return answer.get();
  }
  const std::lock_guard lock(mutex_);
  if (answer.wait_for(0s) == std::future_status::ready) return answer.get();
  wishes_.erase(place);
  return fail(Errc::timed_out,
              "what was asked of alert '{}' is not on disk yet: look at the store's state, then try again",
              printable(alert_of(wish)));
}

Pump::Store Pump::store() const {
  Store store;
  store.rate = rate_.per_second();
  store.samples = committed_samples_.value();
  store.alerts_waiting = static_cast<std::size_t>(alerts_waiting_.value());
  std::vector<float> times;
  {
    const std::lock_guard lock(mutex_);
    store.trouble = trouble_;
    store.takes_samples = takes_samples_;
    store.takes_alerts = takes_alerts_;
    times.assign(commit_ms_.begin(),
                 commit_ms_.begin() + static_cast<std::ptrdiff_t>(std::min(commit_count_, commit_ms_.size())));
  }
  if (times.empty()) return store;
  std::sort(times.begin(), times.end());
  store.commit_p50_ms = static_cast<double>(times[times.size() / 2]);
  store.commit_p99_ms = static_cast<double>(times[times.size() * 99 / 100]);
  return store;
}

std::vector<rules::Engine::RuleStatus> Pump::rule_status() const {
  const std::lock_guard lock(mutex_);
  return rule_status_;
}

std::vector<rules::Engine::RuleStatus> Pump::derived_status() const {
  const std::lock_guard lock(mutex_);
  return derived_status_;
}

std::optional<Flood> Pump::flood() const {
  const std::lock_guard lock(mutex_);
  return flood_;
}

void Pump::measure() { rate_.update(static_cast<std::uint64_t>(committed_samples_.value())); }

}  // namespace tidegate::app
