#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/core/seconds.h"
#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/usual_gap.h"

namespace tidegate::rules {
namespace {

/// A series without `for` has missed two samples when it is silent for three intervals. What hiccups is not silent.
constexpr int kIntervals = 3;
constexpr Micros kLeastPatience = std::chrono::seconds(2);

Micros patience_of(Micros interval) { return std::max(kIntervals * interval, kLeastPatience); }

/// Misses samples. Silence counts from the last sample that is fresh (a retained MQTT message is old news), and before
/// the first one from when the series is listened to.
class AbsenceDetector : public Detector {
 public:
  /// No patience: it misses nothing yet.
  explicit AbsenceDetector(Micros patience) : patience_(patience) {}

  void listen(Timestamp since) override {
    since_ = since;
    deadline_ = patience_ > Micros{0} ? since + patience_ : kNever;
  }

  Finding observe(const Sample& sample) override {
    if (sample.reason == Reason::retained) return {};
    const Micros silent = std::max(Micros{0}, sample.time - since_);
    listen(sample.time);
    return {Verdict::clear, seconds(silent), seconds(patience_)};
  }

  Finding tick(Timestamp now) override {
    deadline_ = kNever;
    return {Verdict::breach, seconds(now - since_), seconds(patience_)};
  }

  void unwatched(Timestamp from, Timestamp to) override {
    if (deadline_ != kNever && since_ < to) listen(since_ + (to - std::max(from, since_)));
  }

  Micros lookback() const override { return patience_; }
  Basis basis(const std::string&) const override { return {patience_}; }

 protected:
  /// It may be over already.
  void wait_for(Micros patience) {
    patience_ = patience;
    listen(since_);
  }

 private:
  Micros patience_;
  Timestamp since_{};
};

/// Waits by the interval that the source gives, or else learns how often the series speaks. What it has seen in its
/// window decides, so that a restart changes nothing; for the same reason it waits no longer than that.
class PacedAbsence final : public AbsenceDetector {
 public:
  explicit PacedAbsence(Micros expected) : AbsenceDetector(patience_by(expected)) { learn_without(expected); }

  void expect(Micros interval) override {
    learn_without(interval);
    wait_for(patience_by(interval));
  }

  Finding observe(const Sample& sample) override {
    if (gap_ && sample.reason != Reason::retained) {
      gap_->add(sample.time);
      wait_for(std::min(patience_by(gap_->length()), UsualGap::kWidth));
    }
    return AbsenceDetector::observe(sample);
  }

  /// The window in which it learns ended with the last sample, and that may be as long ago as it waits.
  Micros lookback() const override { return gap_ ? 2 * UsualGap::kWidth : AbsenceDetector::lookback(); }
  Basis basis(const std::string& unit) const override {
    Basis basis = AbsenceDetector::basis(unit);
    if (gap_) basis.facts.push_back({"usual interval", seconds(gap_->length()), "s"});
    return basis;
  }

 private:
  static Micros patience_by(Micros interval) { return interval > Micros{0} ? patience_of(interval) : Micros{0}; }
  void learn_without(Micros expected) {
    gap_ = expected > Micros{0} ? std::nullopt : std::optional<UsualGap>(std::in_place);
  }

  std::optional<UsualGap> gap_;
};

std::optional<Compiled> compile(const config::Node& options, config::Problems&) {
  if (options["for"].refused) return std::nullopt;
  if (!options.has("for")) {
    return Compiled{fmt::format("no good sample for {} of its intervals", kIntervals),
                    "{series} has been silent for {age}",
                    [](const SeriesInfo& info, const std::vector<std::string>&) -> Result<Watch> {
                      return Watch{std::make_unique<PacedAbsence>(info.expected_interval), "s"};
                    }};
  }
  const Micros patience = options.duration("for");
  return Compiled{fmt::format("no good sample for {}", age_text(patience)), "{series} has been silent for {age}",
                  [patience](const SeriesInfo&, const std::vector<std::string>&) -> Result<Watch> {
                    return Watch{std::make_unique<AbsenceDetector>(patience), "s"};
                  }};
}

}  // namespace

Kind absence_kind() {
  return {"absence",
          "No good sample for a time.",
          config::Shape::object(
              "Fires when no good sample came for a time.",
              {config::optional("for", config::Shape::duration(std::chrono::milliseconds(100), std::chrono::days(400)),
                                "How long the series may be silent; three of its intervals, expected or learned, where "
                                "it is not written.")}),
          compile,
          {.of_silence = true, .waits = true, .time_name = "age"}};
}

}  // namespace tidegate::rules
