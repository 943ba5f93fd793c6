#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"

namespace tidegate::rules {
namespace {

/// Misses samples. Silence counts from the last sample that is fresh: a retained MQTT message is old news. A series
/// that never spoke is missed from the first tick on.
class AbsenceDetector final : public Detector {
 public:
  explicit AbsenceDetector(Micros patience) : patience_(patience) { deadline_ = kAtOnce; }

  Finding observe(const Sample& sample) override {
    if (sample.reason == Reason::retained) return {};
    const Micros silent = known_ ? sample.time - since_ : Micros{0};
    listen_from(sample.time);
    return {Verdict::clear, seconds(silent), seconds(patience_)};
  }

  Finding tick(Timestamp now) override {
    if (!known_) {
      listen_from(now);
      return {};
    }
    deadline_ = kNever;
    return {Verdict::breach, seconds(now - since_), seconds(patience_)};
  }

  void resume(Timestamp now) override {
    if (known_ && deadline_ != kNever) listen_from(std::max(now, since_));
  }

  Micros lookback() const override { return patience_; }

 private:
  static double seconds(Micros time) { return static_cast<double>(time.count()) * 1e-6; }

  void listen_from(Timestamp time) {
    known_ = true;
    since_ = time;
    deadline_ = time + patience_;
  }

  Micros patience_;
  bool known_ = false;
  Timestamp since_{};
};

std::optional<Compiled> compile(const config::Node& options, config::Problems&) {
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
          true,
          true};
}

}  // namespace tidegate::rules
