#include "rules/deriver.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gateway/core/seconds.h"
#include "rules/expr/measure.h"
#include "rules/units.h"
#include "rules/when.h"

namespace tidegate::rules {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr double kRounding = 1e-12;

/// What a counter's next reading is compared with is among so many before it, where they are not older than that.
constexpr int kCounterSamples = 4;
constexpr Micros kMostOfCounter = std::chrono::days(1);

Timestamp next_on_the_clock(Timestamp after, Micros every) {
  return Timestamp{(after.time_since_epoch() / every + 1) * every};
}

}  // namespace

Deriver::Deriver(std::size_t own, expr::Program program, Recipe recipe, std::size_t inputs)
    : Joint(own),
      recipe_(std::move(recipe)),
      program_(std::move(program)),
      heard_(inputs),
      together_(inputs),
      running_(kUnknown) {}

Result<std::unique_ptr<Deriver>> Deriver::make(std::size_t own, expr::Program program, const Recipe& recipe,
                                               std::span<const Known* const> known) {
  std::unique_ptr<Deriver> made(new Deriver(own, std::move(program), recipe, known.size()));
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == nullptr) continue;
    made->heard_[i].stale_after = input_of(*known[i], recipe.stale_after).stale_after;
    made->heard_[i].interval = known[i]->info.expected_interval;
  }
  if (Status fits = made->fit(); !fits) return fail(std::move(fits.error()));
  return made;
}

/// Its unit, and the way to it, for what the expression is now.
Status Deriver::fit() {
  const bool sums = this->sums();
  if (program_.type() == expr::Type::state)
    return fail(Errc::invalid, "it is a state: a derived series is a number or a condition");
  const bool is_condition = program_.type() == expr::Type::boolean;
  std::string unit = program_.unit();
  double scale = 1;
  if (recipe_.sums == Recipe::Sums::integral) {
    auto scaled = expr::for_a_second(unit);
    unit = std::move(scaled.unit);
    scale = scaled.scale;
  }
  if (is_condition && !sums && !recipe_.unit.empty())
    return fail(Errc::invalid, "it is a condition, which has no unit: leave '{}' out", recipe_.unit);
  const std::string& wanted = recipe_.unit.empty() ? unit : recipe_.unit;
  const auto way = expr::conversion(unit, wanted, sums || program_.is_difference());
  if (!way) {
    return fail(Errc::invalid, "its unit is {}, which does not convert to {}{}", unit, wanted,
                capitals_hint(unit, wanted));
  }
  double deadband = recipe_.deadband;
  if (deadband >= 0) {
    const auto width = convert_difference(deadband, recipe_.deadband_unit, wanted);
    if (!width)
      return fail(Errc::invalid, "deadband is in {}, which does not convert to {}", recipe_.deadband_unit, wanted);
    deadband = *width;
  }
  if (Status onwards = convert_sum(); !onwards) return onwards;
  is_stored_ = is_stored_ && unit_ == wanted;
  unit_ = wanted;
  scale_ = scale * way->scale;
  shift_ = way->shift;
  deadband_ = deadband;
  return {};
}

/// What it is summed up of has another unit by now.
Status Deriver::convert_sum() {
  if (!sums()) return {};
  const bool is_difference = recipe_.sums == Recipe::Sums::increases || program_.is_difference();
  const auto way = expr::conversion(of_, program_.unit(), is_difference);
  if (!way || way->shift != 0)
    return fail(Errc::invalid, "its unit was {}, whose sum does not convert to {}", of_, program_.unit());
  total_ *= way->scale;
  running_ *= way->scale;
  ahead_ *= way->scale;
  counter_.scale(way->scale);
  of_ = program_.unit();
  return {};
}

SeriesKind Deriver::kind() const {
  if (recipe_.sums == Recipe::Sums::increases) return SeriesKind::counter;
  const bool is_condition = program_.type() == expr::Type::boolean && recipe_.sums == Recipe::Sums::nothing;
  return is_condition ? SeriesKind::boolean : SeriesKind::number;
}

Micros Deriver::slowest_input() const {
  std::optional<Micros> slowest;
  for (const Heard& one : heard_) {
    if (one.is_pattern) continue;
    if (one.interval == Micros{0}) return Micros{0};
    slowest = std::max(slowest.value_or(kOnChange), one.interval);
  }
  return slowest.value_or(Micros{0});
}

Status Deriver::know(std::size_t input, const Known& known) {
  const expr::Input now = input_of(known, recipe_.stale_after);
  if (const auto problem = program_.set(input, now)) return fail(Errc::invalid, "{}", problem->text);
  heard_[input].stale_after = now.stale_after;
  heard_[input].interval = known.info.expected_interval;
  look_for_silence(told_);
  Status fits = fit();
  set_deadline();
  return fits;
}

Result<std::size_t> Deriver::add(std::size_t pattern, const Known& known) {
  const expr::Input now = input_of(known, recipe_.stale_after);
  const auto added = program_.add_member(pattern, now);
  if (const auto* problem = std::get_if<expr::Problem>(&added)) return fail(Errc::invalid, "{}", problem->text);
  const std::size_t input = std::get<std::size_t>(added);
  heard_.resize(std::max(heard_.size(), input + 1));
  heard_[input].stale_after = now.stale_after;
  heard_[input].interval = known.info.expected_interval;
  heard_[pattern].is_pattern = true;
  together_.add_member(input, pattern);
  if (Status fits = fit(); !fits) return fail(std::move(fits.error()));
  return input;
}

// --- samples ----------------------------------------------------------------------------------------------------

void Deriver::note(std::size_t input, const Sample& sample) {
  close_before(sample.time);
  Heard& heard = heard_[input];
  together_.note(input, sample.time);
  moment_ = together_.moment();
  is_open_ = true;
  const auto count = [this](const Heard& of, std::size_t by) {
    if (of.quality != Quality::good) (of.quality == Quality::bad ? bad_ : uncertain_) += by;
  };
  count(heard, static_cast<std::size_t>(-1));
  heard.quality = sample.quality;
  heard.reason = sample.reason;
  heard.time = sample.time;
  heard.left_out = Micros{0};
  count(heard, 1);
  silence_ = std::min(silence_, heard.silence());
  program_.observe(input, sample);
}

Finding Deriver::judge(Timestamp) {
  if (is_open_ && together_.awaited() == 0) settle(moment_);
  set_deadline();
  return {Verdict::clear};  // whatever it hears says something: its timers go by the lag of that
}

void Deriver::close_before(Timestamp time) {
  if (is_open_ && time > moment_) settle(moment_);
  if (turn() < time) take_turn();
}

// --- time -------------------------------------------------------------------------------------------------------

Finding Deriver::tick(Timestamp now) {
  made_.clear();
  if (silence_ <= now) look_for_silence(told_);
  if (is_open_) {
    if (now >= moment_ + recipe_.patience) settle(moment_);
  } else if (is_to_restate()) {
    let_pass(last_->time);
    is_stored_ = true;
  } else if (next_change() <= std::min(now, turn())) {
    let_pass(next_change());
  } else if (turn() != kNever && turn() + recipe_.patience <= now) {
    take_turn();
  }
  set_deadline();
  return {Verdict::clear};
}

void Deriver::let_pass(Timestamp now) {
  const Timestamp at = std::max(now, told_);
  look_for_silence(at);
  const expr::Value value = program_.evaluate(at);
  sum_up(value, at);
  told_ = at;
  if (recipe_.every > Micros{0} && !is_to_restate()) {
    is_due_ = true;
  } else {
    offer(at, value, true);
  }
}

void Deriver::take_turn() {
  const Timestamp at = turn();
  const expr::Value value = program_.evaluate(at);
  sum_up(value, at);
  told_ = at;
  is_due_ = false;
  offer(at, value, false);
}

/// When it tells what came, with `every`.
Timestamp Deriver::turn() const { return is_due_ ? next_on_the_clock(told_ - Micros{1}, recipe_.every) : kNever; }

void Deriver::set_deadline() {
  const Timestamp patient = turn() == kNever ? kNever : turn() + recipe_.patience;
  deadline_ =
      is_open_ ? moment_ + recipe_.patience : std::min(patient, next_change() <= turn() ? next_change() : kNever);
  if (is_to_restate() && !is_open_) deadline_ = last_->time;
}

/// What was silent before a time in which nobody watched stays so.
void Deriver::unwatched(Timestamp from, Timestamp to) {
  program_.unwatched(from, to);
  for (Heard& one : heard_) {
    if (one.time < to && one.silence() > from) one.left_out += to - std::max(from, one.time);
  }
  look_for_silence(told_);
  set_deadline();
}

void Deriver::leave_out(Timestamp from, Timestamp to) {
  if (recipe_.sums == Recipe::Sums::integral && to > summed_until_) unwatched_.push_back({from, to});
}

/// What came since the last look is silent later.
void Deriver::look_for_silence(Timestamp after) {
  silence_ = kNever;
  for (const Heard& one : heard_) {
    if (one.silence() > after) silence_ = std::min(silence_, one.silence());
  }
}

Micros Deriver::lookback() const {
  // Of a sum the samples since the last that was told, and the one before them; of a counter also those before that.
  const Micros counter = recipe_.sums == Recipe::Sums::increases
                             ? std::clamp(kCounterSamples * slowest_input(), Micros{0}, kMostOfCounter)
                             : Micros{0};
  return program_.lookback() + counter + (sums() ? 2 * recipe_.every + recipe_.patience : Micros{0});
}

// --- what comes of it -------------------------------------------------------------------------------------------

/// Of the samples of one moment.
void Deriver::settle(Timestamp at) {
  is_open_ = false;
  together_.expect_no_more();
  const expr::Value value = program_.evaluate(at);
  sum_up(value, at);
  told_ = std::max(told_, at);
  const bool begins = sums() && !is_stored_;  // what a restart goes on from
  if (recipe_.every > Micros{0} && !begins) {
    is_due_ = true;
  } else {
    offer(at, value, false);
  }
}

void Deriver::sum_up(const expr::Value& value, Timestamp at) {
  if (!sums()) return;
  has_begun_ = has_begun_ || value.known;
  if (recipe_.sums == Recipe::Sums::integral) {
    if (!std::isnan(running_) && at > summed_until_) total_ += running_ * seconds(watched(summed_until_, at));
    running_ = value.known ? value.value : kUnknown;
  } else if (value.known) {
    ahead_ -= counter_.next(value.value);
    total_ += std::max(-ahead_, 0.0);
    ahead_ = std::max(ahead_, 0.0);
  }
  summed_until_ = std::max(summed_until_, at);
  std::erase_if(unwatched_, [this](const Gap& gap) { return gap.to <= summed_until_; });
}

/// So much of the time from one moment to another somebody watched.
Micros Deriver::watched(Timestamp from, Timestamp to) const {
  Micros left = to - from;
  for (const Gap& gap : unwatched_) left -= std::max(Micros{0}, std::min(gap.to, to) - std::max(gap.from, from));
  return std::max(left, Micros{0});
}

void Deriver::begin() {
  if (std::exchange(is_told_, true)) return;
  if (!has_total_) total_ = 0;
}

std::optional<double> Deriver::goes_on_from(std::string_view unit) const {
  if (!sums()) return 1;
  if (const auto way = expr::conversion(unit, unit_, true)) return way->scale;
  // Of what had no unit until now: it was in this one.
  if (recipe_.sums == Recipe::Sums::integral && unit == expr::for_a_second("").unit) return scale_;
  return std::nullopt;
}

void Deriver::resume(const Made& newest, std::string_view unit) {
  if (is_open_ && newest.time >= moment_) settle(moment_);  // it was told of
  made_.clear();
  remember(newest);
  if (!sums() || newest.quality == Quality::bad) return;
  const double scale = goes_on_from(unit).value_or(1);
  is_stored_ = scale == 1;
  total_ = newest.value * scale / scale_;
  summed_until_ = std::max(summed_until_, newest.time);
  has_total_ = has_begun_ = true;
  set_deadline();
}

void Deriver::offer(Timestamp at, const expr::Value& value, bool is_of_time) {
  const Made* before = !made_.empty() ? &made_.back() : last_ ? &*last_ : nullptr;
  if (before != nullptr && is_of_time && at < before->time) return;  // as after a restart: it was told
  // Of a device that lags a sample may come when the clock has told of a later time already: its own does not go back.
  const Made now = result(before != nullptr ? std::max(at, before->time) : at, value);
  if (before == nullptr || differs(now, *before, is_of_time)) made_.push_back(now);
}

/// Enough to be told.
bool Deriver::differs(const Made& now, const Made& before, bool is_of_time) const {
  if (now.quality != before.quality || now.reason != before.reason) return true;
  // A window that a restart has filled anew adds up in another order.
  const double least = std::max(deadband_, kRounding * std::abs(before.value));
  const bool moved = now.quality != Quality::bad && std::abs(now.value - before.value) > least;
  if (is_of_time || deadband_ >= 0) {
    const bool is_old = !is_of_time && recipe_.repeat > Micros{0} && now.time - before.time >= recipe_.repeat;
    return moved || is_old;
  }
  return true;
}

Deriver::Made Deriver::result(Timestamp at, const expr::Value& value) const {
  const double computed = (sums() ? total_ : value.value) * scale_ + shift_;
  const bool is_there = (sums() ? has_begun_ : value.known) && std::isfinite(computed);
  if (!is_there) return {at, 0, Quality::bad, value.known ? Reason::not_a_number : why_not_known(at)};
  if (!value.known) return {at, computed, Quality::uncertain, why_not_known(at)};
  if (bad_ == 0 && uncertain_ == 0 &&
      std::none_of(heard_.begin(), heard_.end(), [&](const Heard& one) { return is_silent(one, at); })) {
    if (leaves_out_) return {at, computed, Quality::uncertain, Reason::wrong_type};
    return {at, computed, Quality::good, Reason::none};
  }
  return {at, computed, Quality::uncertain, why_not_known(at)};
}

/// Of the input that is worst off.
Reason Deriver::why_not_known(Timestamp at) const {
  const auto of = [&](Quality quality) {
    return std::find_if(heard_.begin(), heard_.end(),
                        [&](const Heard& one) { return one.time != Timestamp::min() && one.quality == quality; });
  };
  if (bad_ > 0) return of(Quality::bad)->reason;
  if (std::any_of(heard_.begin(), heard_.end(), [&](const Heard& one) { return is_silent(one, at); }))
    return Reason::no_answer;
  return uncertain_ > 0 ? of(Quality::uncertain)->reason : Reason::not_a_number;
}

bool Deriver::is_silent(const Heard& heard, Timestamp at) const {
  return heard.time == Timestamp::min() ? !heard.is_pattern : at >= heard.silence();
}

}  // namespace tidegate::rules
