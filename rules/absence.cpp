#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"

namespace tidegate::rules {
namespace {

/// Misses samples. Silence counts from the last sample that is fresh (a retained MQTT message is old news), and before
/// the first one from when the series is listened to.
class AbsenceDetector final : public Detector {
 public:
  explicit AbsenceDetector(Micros patience) : patience_(patience) {}

  void listen(Timestamp since) override {
    since_ = since;
    deadline_ = since + patience_;
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

 private:
  static double seconds(Micros time) { return static_cast<double>(time.count()) * 1e-6; }

  Micros patience_;
  Timestamp since_{};
};

std::optional<Compiled> compile(const config::Node& options, config::Problems&) {
  if (options["for"].refused) return std::nullopt;
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
              {config::required("for", config::Shape::duration(std::chrono::milliseconds(100), std::chrono::days(400)),
                                "How long the series may be silent.")}),
          compile,
          {.of_silence = true, .waits = true, .time_name = "age"}};
}

}  // namespace tidegate::rules
