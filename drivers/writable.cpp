#include "drivers/writable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

constexpr double kAnyNumber = 1e300;
constexpr int kDigits = 12;  // what a scale of 0.1 makes of a number is right to about fifteen

std::string interlock_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "an interlock is the whole name of a series, such as boiler1/may_heat";
}

bool is_number(const WritablePoint& point) {
  return point.kind == SeriesKind::number || point.kind == SeriesKind::counter;
}
bool is_number(const Writable& writable) { return is_number(writable.point); }

/// As the point's series takes it; nothing where it does not.
std::optional<double> number_of(const Reading& reading) {
  double number = reading.number;
  if (reading.type == Reading::Type::text && !parse_number(reading.text, number)) return std::nullopt;
  if (reading.type == Reading::Type::null || reading.type == Reading::Type::not_a_number) return std::nullopt;
  return number;
}

std::optional<bool> truth_of(const Reading& reading) {
  if (reading.type == Reading::Type::text) return boolean_word(reading.text);
  const auto number = number_of(reading);
  return number ? std::optional(*number != 0) : std::nullopt;
}

tl::unexpected<Error> none_of(const WritablePoint& point, std::string_view wished, std::string_view what) {
  return fail(Errc::invalid, "{}: '{}' is none of {}", point.series, printable(wished, 64), what);
}

/// "60" of "60 L/min": it may have the unit in which the point is shown, and no other.
std::string_view without_unit(std::string_view wished, std::string_view unit) {
  wished = trim(wished);
  return unit.empty() || !wished.ends_with(unit) ? wished : trim(wished.substr(0, wished.size() - unit.size()));
}

/// Of a value between two steps; "" of one that is a step.
std::string neighbours(const WritablePoint& point, double number) {
  if (point.step <= 0) return "";
  constexpr double kNear = 1e-12, kSmall = 1e6;  // a millionth of a step is none
  const double steps = (number - point.min) / point.step;
  if (std::abs(steps - std::nearbyint(steps)) <= kNear * std::max(std::abs(steps), kSmall)) return "";
  const double below = point.min + std::floor(steps) * point.step;
  return fmt::format("{} and {}", short_number(below, kDigits), short_number(below + point.step, kDigits));
}

/// What does not fit the kind of the point, in words; "" where nothing is wrong.
std::string misfit(const Node& how, const Writable& writable) {
  const bool limits = how.has("min") || how.has("max");
  if (is_number(writable)) {
    if (!how.has("min") || !how.has("max")) return "a number that can be written needs its min and max";
    if (how.number("min") > how.number("max")) return "min is more than max";
    if (writable.value.scale.factor == 0) return "with a scale of 0 nothing can be written";
  } else if (limits) {
    return "what is on or off, or has words for its codes, has no min and max";
  }
  const bool state = writable.point.kind == SeriesKind::state;
  if (how.has("states") && (!state || !writable.value.states.empty())) {
    return "'states' are of a state without an enum: those that it may be set to";
  }
  return state && writable.point.states.empty() ? "a state that can be written needs words for what it may be set to"
                                                : "";
}

}  // namespace

std::vector<Shape::Field> writable_fields() {
  return {config::optional("min", Shape::number(-kAnyNumber, kAnyNumber), "The least, in the unit shown."),
          config::optional("max", Shape::number(-kAnyNumber, kAnyNumber), "The most."),
          config::optional("interlock", Shape::text_where("a series", interlock_problem),
                           "A yes/no series that has to be true, good and fresh: else nothing is written."),
          config::defaulted("verify", Shape::boolean(), "true",
                            "Read back what was written; false for what reads otherwise, such as a command.")};
}

std::optional<Writable> read_writable(const Node& how, std::string series, SeriesKind natural,
                                      const ValueOptions& value, Problems& problems) {
  Writable writable{{.series = std::move(series),
                     .kind = value.kind.value_or(natural),
                     .unit = value.unit,
                     .read_back = how.boolean("verify")},
                    value};
  WritablePoint& point = writable.point;
  for (const auto& [code, word] : value.states) point.states.push_back(word);
  if (point.states.empty() && how.has("states")) point.states = how["states"].strings();
  if (how.has("interlock")) point.interlock = how.string("interlock");
  if (const std::string wrong = misfit(how, writable); !wrong.empty()) {
    problems.add(how.at, wrong);
    return std::nullopt;
  }
  if (is_number(writable)) {
    point.min = how.number("min");
    point.max = how.number("max");
  }
  return writable;
}

Result<Reading> takes(const WritablePoint& point, std::string_view wished) {
  if (is_number(point)) {
    Reading number;
    if (!read_number(without_unit(wished, point.unit), number) || number.type != Reading::Type::number) {
      return fail(Errc::invalid, "{}: '{}' is no number{}{}", point.series, printable(wished, 64),
                  point.unit.empty() ? "" : " of ", point.unit);
    }
    if (!(number.number >= point.min && number.number <= point.max)) {
      return fail(Errc::invalid, "{}: {} is not within {} and {}", point.series, number_text(number.number),
                  number_text(point.min), number_text(point.max));
    }
    if (const std::string between = neighbours(point, number.number); !between.empty()) {
      return fail(Errc::invalid, "{}: {} lies between two values that it takes, {}", point.series,
                  number_text(number.number), between);
    }
    return number;
  }
  if (point.kind == SeriesKind::state) {
    const auto found = std::find(point.states.begin(), point.states.end(), wished);
    if (found != point.states.end()) return Reading{Reading::Type::text, 0, *found};
    return none_of(point, wished, fmt::format("{}", fmt::join(point.states, ", ")));
  }
  const auto on = boolean_word(wished);
  if (!on) return none_of(point, wished, "on and off");
  return Reading{Reading::Type::boolean, *on ? 1.0 : 0.0};
}

Result<Reading> to_device(const Writable& writable, std::string_view wished) {
  auto taken = takes(writable.point, wished);
  if (!taken) return taken;
  if (is_number(writable)) {
    taken->number = (taken->number - writable.value.scale.offset) / writable.value.scale.factor;
  }
  const Words& codes = writable.value.states;
  if (writable.point.kind != SeriesKind::state || codes.empty()) return taken;
  const auto code = std::find_if(codes.begin(), codes.end(), [&](const auto& one) { return one.second == wished; });
  return Reading{Reading::Type::number, code->first};  // the words are the point's states
}

std::string shown(const Writable& writable, const Reading& of_device) {
  const ValueOptions& value = writable.value;
  const bool code = of_device.type == Reading::Type::number || of_device.type == Reading::Type::boolean;
  if (const std::string* fault = code ? word_of(value.faults, of_device.number) : nullptr) return *fault;
  if (writable.point.kind == SeriesKind::state) {
    if (of_device.type == Reading::Type::text) return printable(of_device.text, 64);
    const std::string* word = code ? word_of(value.states, of_device.number) : nullptr;
    if (word != nullptr) return *word;
  }
  if (writable.point.kind == SeriesKind::boolean) {
    if (const auto on = truth_of(of_device)) return *on ? "on" : "off";
  }
  const auto number = number_of(of_device);
  if (!number) return of_device.type == Reading::Type::text ? printable(of_device.text, 64) : "no value";
  const double scaled = is_number(writable) ? *number * value.scale.factor + value.scale.offset : *number;
  return fmt::format("{}{}{}", short_number(scaled, kDigits), value.unit.empty() ? "" : " ", value.unit);
}

bool is_same(const Writable& writable, const Reading& written, const Reading& now) {
  if (!is_number(writable)) return shown(writable, written) == shown(writable, now);
  constexpr double kNear = 1e-9, kNothing = 1e-3;
  const auto wanted = number_of(written), has = number_of(now);
  return wanted && has && std::abs(*wanted - *has) <= kNear * std::max({std::abs(*wanted), std::abs(*has), kNothing});
}

tl::unexpected<Error> shows_instead(const Writable& writable, const Reading& written, std::string_view now_shown) {
  return fail(Errc::conflict, "{}: written, but it shows {} instead of {}", writable.point.series, now_shown,
              shown(writable, written));
}

}  // namespace tidegate::drivers
