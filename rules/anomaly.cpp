#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/quantities.h"
#include "rules/season_cells.h"
#include "rules/tail.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

/// The last few values, which a single odd one does not move.
class Recent {
 public:
  explicit Recent(Micros width) : width_(width) {}

  std::optional<double> median(Timestamp now) {
    while (count_ > 0 && time(0) <= now - width_) --count_;
    if (count_ < 3) return std::nullopt;
    std::array<double, kCount> sorted;
    for (std::size_t i = 0; i < count_; ++i) {
      std::size_t at = i;
      const double value = values_[(next_ + kCount - count_ + i) % kCount];
      for (; at > 0 && sorted[at - 1] > value; --at) sorted[at] = sorted[at - 1];
      sorted[at] = value;
    }
    return (sorted[(count_ - 1) / 2] + sorted[count_ / 2]) / 2;
  }
  void add(const Sample& sample) {
    times_[next_] = sample.time;
    values_[next_] = sample.value;
    next_ = (next_ + 1) % kCount;
    count_ = std::min(count_ + 1, kCount);
  }

 private:
  static constexpr std::size_t kCount = 7;
  Timestamp time(std::size_t i) const { return times_[(next_ + kCount - count_ + i) % kCount]; }

  Micros width_;
  std::array<Timestamp, kCount> times_{};
  std::array<double, kCount> values_{};
  std::size_t next_ = 0, count_ = 0;
};

/// The size of something in each sample, and how unlikely it is.
class Aspect {
 public:
  /// What goes on at about the same size is no news: its score is halved, which is where an alert holds.
  double judge(double size) {
    const bool is_news = size > 1.1 * std::max(largest_, recent_);
    largest_ = std::max({largest_, size, 0.0});
    const double score = tail_.score(size);
    return is_news ? score : score / 2;
  }
  /// A cell has ended.
  void close() {
    if (largest_ >= 0) {
      tail_.push(largest_);
    } else {
      tail_.skip();
    }
    largest_ = -1;
  }
  void fit(double least) {
    tail_.fit(least);
    recent_ = tail_.largest(kRecentCells);
  }
  bool is_known() const { return tail_.is_known(); }

 private:
  static constexpr std::size_t kRecentCells = 8;

  Tail tail_;
  double largest_ = -1;  ///< in this cell; negative: nothing yet
  double recent_ = 0;
};
static_assert(Tail::kBlocks == SeasonCells::kCells * SeasonCells::kSeasons);

/// Judges each sample in several aspects, each by how large it was in the blocks of the last seven seasons: how far it
/// is from the last few values, how far the last minutes are from the level of the last season and from what is usual
/// at this time of it, and for how long the value has stood still.
class AnomalyDetector final : public Detector {
 public:
  AnomalyDetector(double sensitivity, Micros season, bool has_season)
      : limit_(sensitivity), has_season_(has_season), cells_(season), recent_(season / 4) {}

  Finding observe(const Sample& sample) override {
    if (const std::int64_t cell = cells_.cell(sample.time); cell != cell_ || !is_started_) move_to(cell);
    now_.add(sample.value);
    rarity_ = 0;
    judge_leap(sample);
    judge_level();
    judge_stillness(sample);
    recent_.add(sample);
    last_ = sample;
    return found();
  }

  Micros lookback() const override { return cells_.width() * (kRemembered + 2); }
  Basis basis(const std::string& unit) const override {
    static constexpr std::array<const char*, kAspects> kNames{"a leap up",
                                                              "a leap down",
                                                              "a high level",
                                                              "a low level",
                                                              "high for this time of the season",
                                                              "low for this time of the season",
                                                              "stands still"};
    Basis basis{cells_.width() * SeasonCells::kCells, {{kNames[rarest_], score(), ""}}};
    const auto level = cells_.level();
    if (level) basis.facts.push_back({"level of the last season", *level, unit});
    if (level && usual_) {
      basis.facts.push_back({"usual at this time, from", *level + usual_->low, unit});
      basis.facts.push_back({"usual at this time, to", *level + usual_->high, unit});
    }
    return basis;
  }

 private:
  enum { leap_up, leap_down, level_up, level_down, season_up, season_down, still, kAspects };
  static constexpr std::int64_t kRemembered = SeasonCells::kCells * (2 * SeasonCells::kSeasons + 1);

  void move_to(std::int64_t cell) {
    if (!is_started_ || cell - cell_ > kRemembered) {
      begin_at(cell);
      return;
    }
    for (; cell_ < cell; ++cell_) {
      cells_.push(now_.mean());
      for (Aspect& aspect : aspects_) aspect.close();
      before_ = std::exchange(now_, {});
    }
    usual_ = has_season_ ? cells_.usual() : std::nullopt;
    const double least = 1e-6 * std::abs(last_.value);
    for (Aspect& aspect : aspects_) aspect.fit(&aspect == &aspects_[still] ? 0 : least);
  }

  void begin_at(std::int64_t cell) {
    is_started_ = true;
    cell_ = cell;
    cells_.restart(cell);
    aspects_ = {};
    now_ = before_ = {};
    usual_.reset();
  }

  void judge(std::size_t aspect, double size) {
    const double rarity = aspects_[aspect].judge(size);
    if (rarity <= rarity_) return;
    rarity_ = rarity;
    rarest_ = aspect;
  }
  void judge_both(std::size_t up, double size) {
    judge(up, size);
    judge(up + 1, -size);
  }

  void judge_leap(const Sample& sample) {
    if (const auto middle = recent_.median(sample.time)) judge_both(leap_up, sample.value - *middle);
  }

  void judge_level() {
    const auto level = cells_.level();
    if (!level) return;
    const double count = before_.count + now_.count;
    const double mean = now_.mean() + (before_.count > 0 ? (before_.mean() - now_.mean()) * before_.count / count : 0);
    const double offset = mean - *level;
    judge_both(level_up, offset);
    if (!usual_) return;
    const double beyond = std::max(offset - usual_->high, 0.0) - std::max(usual_->low - offset, 0.0);
    judge_both(season_up, beyond);
  }

  /// A cell is added to the time for which it has stood, so that one reading more or less of a few is not much.
  void judge_stillness(const Sample& sample) {
    const bool is_same = sample.value == last_.value && sample.time - last_.time <= 4 * cells_.width();
    if (!is_same) still_since_ = sample.time;
    still_since_ = std::max(still_since_, sample.time - cells_.width() * SeasonCells::kCells);
    const Micros length = sample.time - still_since_ + cells_.width();
    judge(still, static_cast<double>(length.count()) * 1e-6);
  }

  double score() const { return std::max(0.0, rarity_ - kPerSeason); }
  Finding found() const {
    Finding found{Verdict::hold, 0, limit_};
    if (!aspects_[leap_up].is_known()) return found;
    found.value = score();
    if (found.value > limit_) {
      found.verdict = Verdict::breach;
    } else if (found.value < limit_ / 2) {
      found.verdict = Verdict::clear;
    }
    return found;
  }

  static constexpr double kPerSeason = 2.0;  ///< log10 of the blocks in a season, about

  const double limit_;
  const bool has_season_;
  SeasonCells cells_;
  Recent recent_;
  std::array<Aspect, kAspects> aspects_;
  CellMean now_, before_;
  std::optional<SeasonCells::Usual> usual_;
  Sample last_{};
  Timestamp still_since_{};
  std::int64_t cell_ = 0;
  bool is_started_ = false;
  double rarity_ = 0;  ///< of the newest sample in the aspect in which it is the rarest
  std::size_t rarest_ = 0;
};

struct Anomaly {
  double sensitivity = 3;
  Micros season{0};
  bool has_season = true;
};

Result<Watch> fit(const Anomaly& anomaly, const SeriesInfo& info) {
  if (Status status = measures(info, "size"); !status) return fail(std::move(status.error()));
  if (info.kind == SeriesKind::counter) {
    return fail(Errc::invalid, "it is a counter, which is never where it was: use trend or change");
  }
  return Watch{std::make_unique<AnomalyDetector>(anomaly.sensitivity, anomaly.season, anomaly.has_season), ""};
}

std::optional<Compiled> compile(const Node& options, Problems&) {
  if (!options.sound()) return std::nullopt;
  constexpr Micros kDay = std::chrono::hours(24);
  const Node& season = options["season"];
  const bool has_season = season.text != "none";
  const Anomaly anomaly{options.number("sensitivity"), has_season ? options.duration("season") : kDay, has_season};
  std::string condition = has_season ? fmt::format("an anomaly score above {}, with a season of {}",
                                                   options["sensitivity"].shown(), age_text(anomaly.season))
                                     : fmt::format("an anomaly score above {}", options["sensitivity"].shown());
  return Compiled{std::move(condition), "{series} is not as usual: anomaly score {value}, limit {limit}",
                  [anomaly](const SeriesInfo& info, const std::vector<std::string>&) { return fit(anomaly, info); }};
}

}  // namespace

Kind anomaly_kind() {
  using config::Shape;
  return {"anomaly", "The value is not as it has been in the weeks before, nor as it is at this time of the day.",
          Shape::object(
              "Fires while what comes is rarer than all that was seen in the last seven seasons. No limit needs to be "
              "known, nothing is trained.",
              {config::defaulted("sensitivity", Shape::number(0.1, 100), "3",
                                 "The score from which on it fires; 3: about once in a thousand seasons. More is "
                                 "quieter."),
               config::defaulted("season",
                                 Shape::either({Shape::duration(std::chrono::seconds(1), std::chrono::days(7)),
                                                Shape::choice({"none"})}),
                                 "1d", "How long it takes until all comes again; \"none\": it does not.")}),
          compile};
}

}  // namespace tidegate::rules
