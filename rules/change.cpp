#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gateway/core/time_text.h"
#include "rules/change_rate.h"
#include "rules/counted.h"
#include "rules/kinds.h"
#include "rules/quantities.h"
#include "rules/sliding_window.h"
#include "rules/spread.h"
#include "rules/units.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

enum class Direction : unsigned char { either, up, down };

struct Change {
  Direction direction = Direction::either;
  double limit = 0;
  double clear = 0;
  std::string unit;
  Micros within{0};
};

Verdict verdict(const Change& change, double size) {
  if (size > change.limit) return Verdict::breach;
  return size < change.clear ? Verdict::clear : Verdict::hold;
}

/// How far the newest value is from the smallest and the largest in the window.
class ChangeDetector final : public Detector {
 public:
  ChangeDetector(const Change& change, bool is_relative)
      : change_(change), window_(change.within), is_relative_(is_relative) {}

  Finding observe(const Sample& sample) override {
    const double value = sample.value;
    window_.add(sample.time, value);
    const Spread seen = window_.all();
    const double rise = size(value - seen.min, seen.min), fall = size(seen.max - value, seen.max);
    const bool fell = change_.direction == Direction::down || (change_.direction == Direction::either && fall > rise);
    const double change = fell ? fall : rise;
    const double shown = fell && change_.direction == Direction::either ? -change : change;
    return {seen.count > 1 ? verdict(change_, change) : Verdict::hold, shown, change_.limit};
  }

  Micros lookback() const override { return change_.within; }
  Basis basis(const std::string& unit) const override {
    const Spread seen = window_.all();
    return {change_.within, {{"samples", seen.count, ""}, {"smallest", seen.min, unit}, {"largest", seen.max, unit}}};
  }

 private:
  double size(double change, double from) const {
    if (!is_relative_ || change == 0) return change;
    return 100 * change / std::abs(from);
  }

  const Change change_;  ///< in the series' unit, or in %
  SlidingWindow<Spread> window_;
  bool is_relative_;
};

/// How much a counter counted in the window.
class CountDetector final : public Detector {
 public:
  explicit CountDetector(const Change& change) : change_(change), window_(change.within) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    const double counted = window_.counted();
    return {window_.count() > 1 ? verdict(change_, counted) : Verdict::hold, counted, change_.limit};
  }

  Micros lookback() const override { return change_.within; }
  Basis basis(const std::string&) const override {
    return {change_.within, {{"samples", static_cast<double>(window_.count()), ""}}};
  }

 private:
  const Change change_;  ///< in the series' unit
  CountWindow window_;
};

/// % of the value from which it changed, in series that are not in % themselves (or %RH).
bool is_relative(const Change& change, const SeriesInfo& info) {
  return change.unit == "%" && (info.unit.empty() || convert_difference(1, "%", info.unit) != 1);
}

Result<Watch> fit(const Change& change, const SeriesInfo& info) {
  if (Status status = measures(info, "size; use threshold: {equals: ...} or count"); !status)
    return fail(std::move(status.error()));
  const bool is_counter = info.kind == SeriesKind::counter;
  if (Status status = may_fall(info); change.direction == Direction::down && !status)
    return fail(std::move(status.error()));
  if (is_relative(change, info)) {
    if (is_counter) return fail(Errc::invalid, "it is a counter: write by how many units");
    return Watch{std::make_unique<ChangeDetector>(change, true), "%"};
  }
  Change fitted = change;
  for (double* level : {&fitted.limit, &fitted.clear}) {
    const auto converted = difference_for(info, *level, change.unit, "limit");
    if (!converted) return fail(converted.error());
    *level = *converted;
  }
  std::unique_ptr<Detector> detector;
  if (is_counter) {
    detector = std::make_unique<CountDetector>(fitted);
  } else {
    detector = std::make_unique<ChangeDetector>(fitted, false);
  }
  return Watch{std::move(detector), unit_for(info, change.unit)};
}

/// What is raised above a limit clears below one, and the other way round.
bool clear_fits(const Node& options, std::string_view key, Problems& problems) {
  const std::string_view right = key == "rate_below" ? "clear_above" : "clear_below";
  const std::string_view wrong = key == "rate_below" ? "clear_below" : "clear_above";
  if (!options.has(wrong)) return true;
  problems.add(options[wrong].at, fmt::format("{} has no place with {}: write {}", wrong, key, right));
  return false;
}

std::optional<Compiled> compile(const Node& options, Problems& problems) {
  const auto key =
      only_key(options, "change", {"by", "rises_by", "falls_by", "rate_above", "rate_below"}, "", problems);
  if (!key || !clear_fits(options, *key, problems)) return std::nullopt;
  if (key->starts_with("rate")) return compile_change_rate(options, *key, problems);
  if (!options.has("within") && !options["within"].refused) {
    problems.add(options.at, fmt::format("{} needs a time: write within: 1m beside it", *key));
    return std::nullopt;
  }
  const Node& limit_node = options[*key];
  const Node& clear_node = options["clear_below"];
  Quantities quantities({&limit_node, &clear_node}, problems);
  const auto limit = quantities.width(limit_node, *key);
  const auto clear = options.has("clear_below") ? quantities.width(clear_node, "clear_below")
                     : limit                    ? std::optional(*limit / 2)
                                                : std::nullopt;
  if (!limit || !clear || !options.sound()) return std::nullopt;
  if (*limit == 0) {
    problems.add(limit_node.at, fmt::format("{} 0 is any change at all: write by how much more than 0", *key));
    return std::nullopt;
  }
  if (*clear > *limit || *clear == 0) {
    problems.add(clear_node.at, fmt::format("clear_below {} must be more than 0 and not more than {} {}",
                                            clear_node.shown(), *key, limit_node.shown()));
    return std::nullopt;
  }
  const Direction direction = *key == "by" ? Direction::either : *key == "rises_by" ? Direction::up : Direction::down;
  Change change{direction, *limit, *clear, quantities.unit(), options.duration("within")};
  constexpr std::string_view kVerbs[] = {"changes", "rises", "falls"};
  constexpr std::string_view kPast[] = {"changed", "rose", "fell"};
  const auto which = static_cast<std::size_t>(direction);
  return Compiled{
      fmt::format("{} by more than {} within {}", kVerbs[which], limit_node.shown(), age_text(change.within)),
      fmt::format("{{series}} {} by {{value}} {{unit}} within {}, limit {{limit}}", kPast[which],
                  age_text(change.within)),
      [change = std::move(change)](const SeriesInfo& info, const std::vector<std::string>&) {
        return fit(change, info);
      }};
}

}  // namespace

Kind change_kind() {
  using config::Shape;
  return {
      "change", "The value moves by much in a short time.",
      Shape::object("Fires while the newest value is further from another one in the window than allowed. Write one of "
                    "by, rises_by, falls_by; or while it rises too fast or too slowly: rate_above, rate_below.",
                    {config::optional("by", Shape::quantity(), "Fires when it moved by more, up or down: \"10 °C\"."),
                     config::optional("rises_by", Shape::quantity(), "Fires when it rose by more."),
                     config::optional("falls_by", Shape::quantity(), "Fires when it fell by more: \"20 %\"."),
                     config::optional("rate_above", Shape::quantity(),
                                      "Fires when it rises faster, or a counter counts: \"3 /s\"."),
                     config::optional("rate_below", Shape::quantity(), "Fires when it rises more slowly."),
                     config::optional("within", Shape::duration(std::chrono::milliseconds(100), std::chrono::days(90)),
                                      "The window. A rate without it is that from one sample to the next."),
                     config::optional("clear_below", Shape::quantity(),
                                      "Clears only when it moved by less than this; half of the limit where it is not "
                                      "written."),
                     config::optional("clear_above", Shape::quantity(),
                                      "With rate_below: clears only when it rises faster than this; one and a half "
                                      "times the limit where it is not written.")}),
      compile};
}

}  // namespace tidegate::rules
