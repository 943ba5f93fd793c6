#include "gateway/core/time_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tidegate {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

bool digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from the left; every step fails for good once one has.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (!digit(peek())) return fail();
      value = value * 10 + (take() - '0');
    }
    return value;
  }
  void literal(char c) {
    if (!accept(c)) fail();
  }
  bool accept(char c) {
    if (peek() != c) return false;
    take();
    return true;
  }
  char peek() const { return ok_ && at_ < text_.size() ? text_[at_] : '\0'; }
  char take() { return text_[at_++]; }
  bool finished() const { return ok_ && at_ == text_.size(); }
  int fail() {
    ok_ = false;
    return 0;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

Micros scan_fraction(Scanner& in) {
  constexpr int kMaxDigits = 9;
  int micros = 0, scale = 100'000, digits = 0;
  for (; digit(in.peek()); ++digits, scale /= 10) micros += scale * (in.take() - '0');
  if (digits == 0 || digits > kMaxDigits) in.fail();
  return Micros{micros};
}

std::chrono::sys_days scan_date(Scanner& in) {
  const std::chrono::year year{in.number(4)};
  in.literal('-');
  const std::chrono::month month{static_cast<unsigned>(in.number(2))};
  in.literal('-');
  const std::chrono::year_month_day date(year, month, std::chrono::day{static_cast<unsigned>(in.number(2))});
  if (!date.ok()) in.fail();
  return date;
}

Micros scan_clock(Scanner& in, bool without_seconds) {
  constexpr int kLeapSecond = 60;
  const int hour = in.number(2);
  in.literal(':');
  const int minute = in.number(2);
  if (hour > 23 || minute > 59) in.fail();
  const Micros whole = hours{hour} + minutes{minute};
  if (without_seconds && in.peek() != ':') return whole;
  in.literal(':');
  const int second = in.number(2);
  if (second > kLeapSecond) in.fail();
  return whole + seconds{second} + (in.accept('.') ? scan_fraction(in) : Micros{0});
}

minutes scan_offset(Scanner& in) {
  if (in.accept('Z') || in.accept('z')) return minutes{0};
  const int sign = in.accept('-') ? -1 : 1;
  if (sign > 0) in.literal('+');
  const int hour = in.number(2);
  in.literal(':');
  const int minute = in.number(2);
  if (hour > 23 || minute > 59) in.fail();
  return sign * (hours{hour} + minutes{minute});
}

struct Unit {
  std::string_view name;
  Micros size;
};
constexpr std::array<Unit, 9> kUnits = {{{"w", days{7}},
                                         {"d", days{1}},
                                         {"h", hours{1}},
                                         {"m", minutes{1}},
                                         {"s", seconds{1}},
                                         {"ms", Micros{1000}},
                                         {"us", Micros{1}},
                                         {"\u00B5s", Micros{1}},
                                         {"\u03BCs", Micros{1}}}};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// "1.5" at the front of `text`, which is shortened by it; -1 where there is none.
double take_amount(std::string_view& text) {
  double amount = -1;
  if (text.empty() || !digit(text.front())) return -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
  if (error != std::errc() || end[-1] == '.') return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return amount;
}

std::string_view take_unit(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && !digit(text[size])) ++size;
  const std::string_view unit = text.substr(0, size);
  text.remove_prefix(size);
  return unit;
}

/// "2026-03-01T12:00:00", rounded down.
std::string to_the_second(Timestamp time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}
std::int64_t micros_of(Timestamp time) { return (time - std::chrono::floor<seconds>(time)).count(); }

}  // namespace

std::string rfc3339(Timestamp time) {
  const auto micros = micros_of(time);
  if (micros == 0) return to_the_second(time) + 'Z';
  if (micros % 1000 != 0) return rfc3339_micros(time);
  return fmt::format("{}.{:03}Z", to_the_second(time), micros / 1000);
}

std::string rfc3339_micros(Timestamp time) { return fmt::format("{}.{:06}Z", to_the_second(time), micros_of(time)); }

std::string rfc3339_seconds(Timestamp time) { return rfc3339(std::chrono::floor<std::chrono::seconds>(time)); }

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const auto day = scan_date(in);
  if (!in.accept('t')) in.literal('T');
  const Micros clock = scan_clock(in, false);
  const minutes offset = scan_offset(in);
  if (!in.finished()) return std::nullopt;
  return day - offset + clock;
}

std::optional<Timestamp> parse_time(std::string_view text, Timestamp now) {
  if (text == "now") return now;
  if (text.starts_with('-') || text.starts_with('+')) {
    const auto away = parse_duration(text.substr(1));
    if (!away) return std::nullopt;
    return text.front() == '-' ? now - *away : now + *away;
  }
  Scanner in(text);
  Timestamp time = scan_date(in);
  if (in.accept(' ') || in.accept('T') || in.accept('t')) {
    time += scan_clock(in, true);
    if (in.peek() != '\0') time -= scan_offset(in);
  }
  return in.finished() ? std::optional(time) : std::nullopt;
}

std::optional<Micros> parse_duration(std::string_view text) {
  constexpr double kMost = 9e18;  // below 2^63
  double total = 0;
  Micros larger = Micros::max();
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const double amount = take_amount(text);
    const Unit* unit = find_unit(take_unit(text));
    if (amount < 0 || unit == nullptr || unit->size >= larger) return std::nullopt;
    larger = unit->size;
    total += amount * static_cast<double>(unit->size.count());
  }
  if (!(total < kMost)) return std::nullopt;
  return Micros{std::llround(total)};
}

std::string duration_text(Micros duration) {
  constexpr std::array<std::size_t, 6> kShown = {1, 2, 3,
                                                 4, 5, 6};  // days to microseconds: "30d" says more than "4w2d"
  if (duration == Micros{0}) return "0s";
  std::string text = duration < Micros{0} ? "-" : "";
  for (const std::size_t i : kShown) {
    const auto amount = std::abs(duration / kUnits[i].size);
    if (amount != 0) text += fmt::format("{}{}", amount, kUnits[i].name);
    duration %= kUnits[i].size;
  }
  return text;
}

std::string age_text(Micros age) {
  struct Step {
    Micros size, finer;
    std::string_view name, finer_name;
  };
  constexpr std::array<Step, 3> kSteps = {
      {{days{1}, hours{1}, "d", "h"}, {hours{1}, minutes{1}, "h", "min"}, {minutes{1}, seconds{1}, "min", "s"}}};
  for (const Step& step : kSteps) {
    if (age < step.size) continue;
    const auto rest = age % step.size / step.finer;
    const std::string text = fmt::format("{} {}", age / step.size, step.name);
    return rest == 0 ? text : fmt::format("{} {} {}", text, rest, step.finer_name);
  }
  if (age >= seconds{1}) return fmt::format("{} s", age / seconds{1});
  return age > Micros{0} ? fmt::format("{} ms", age / Micros{1000}) : "0 s";
}

}  // namespace tidegate
