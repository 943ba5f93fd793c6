#include "tests/bench/labelled_series.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

namespace tidegate::bench {
namespace {

using std::chrono::minutes;

constexpr Timestamp kStart{std::chrono::seconds(1'767'571'200)};  // a Monday, 00:00 UTC
constexpr int kMinutes = 28 * 24 * 60;
constexpr int kFaultFrom = 18 * 24 * 60, kFaultUntil = 27 * 24 * 60;
constexpr double kDay = 24 * 60 * 60;

/// What a healthy sensor shows.
class Plant {
 public:
  explicit Plant(std::uint64_t seed) : random_(seed) {
    level_ = uniform(10, 100);
    noise_ = uniform(0.05, 0.5);
    has_season_ = uniform(0, 1) > 0.2;
    swing_ = has_season_ ? noise_ * uniform(4, 20) : 0;
    phase_ = uniform(0, 1);
    second_ = uniform(0, 0.4);
    second_phase_ = uniform(0, 1);
    weather_step_ = noise_ * uniform(0.005, 0.03);
    step_ = uniform(0, 1) > 0.5 ? noise_ * uniform(0.2, 1) : 0;
  }

  double uniform(double from, double to) { return std::uniform_real_distribution<double>(from, to)(random_); }
  int between(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  double sign() { return uniform(0, 1) < 0.5 ? -1 : 1; }

  double noise() const { return noise_; }
  double swing() const { return swing_; }
  bool has_season() const { return has_season_; }
  double season(double day) const {
    return swing_ * (std::sin(2 * M_PI * (day + phase_)) + second_ * std::sin(4 * M_PI * (day + second_phase_)));
  }
  /// The value at a time in days; `seconds` after the one before. Weather wanders and comes back within hours.
  double value(double day, double seconds, double noise_factor = 1) {
    const double back = std::exp(-seconds / (6 * 3600));
    weather_ = weather_ * back + weather_step_ * std::sqrt(seconds / 60) * normal_(random_);
    return level_ + season(day) + weather_ + noise_factor * noise_ * normal_(random_);
  }
  double converted(double value) const { return step_ > 0 ? std::round(value / step_) * step_ : value; }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_{0, 1};
  double level_, noise_, swing_, phase_, second_, second_phase_, weather_step_, step_;
  bool has_season_;
  double weather_ = 0;
};

/// What goes wrong: its length, and the value that it makes of a healthy one.
struct Fault {
  int length = 0;  ///< minutes
  double size = 0;
};

Fault fault_of(std::string_view type, Plant& plant) {
  const double wide = plant.noise() * 3 + plant.swing() * 0.5;
  if (type == "drift") return {plant.between(12 * 60, 48 * 60), plant.sign() * wide * plant.uniform(2, 5)};
  if (type == "step") return {plant.between(6 * 60, 24 * 60), plant.sign() * wide * plant.uniform(1, 3)};
  if (type == "spike")
    return {plant.between(1, 3), plant.sign() * (plant.noise() * plant.uniform(10, 25) + plant.swing())};
  if (type == "stuck") return {plant.between(2 * 60, 8 * 60), 0};
  if (type == "drop-out") return {plant.between(10, 120), 0};
  if (type == "season") return {plant.between(24 * 60, 48 * 60), plant.uniform(0.3, 0.6)};
  if (type == "noise") return {plant.between(3 * 60, 12 * 60), plant.uniform(3, 6)};
  return {};
}

}  // namespace

const std::vector<std::string_view>& fault_types() {
  static const std::vector<std::string_view> kTypes{"drift",    "step",   "spike", "stuck",
                                                    "drop-out", "season", "noise", "healthy"};
  return kTypes;
}

LabelledSeries faulty_series(std::string_view type, std::uint64_t seed) {
  Plant plant(seed);
  while (type == "season" && !plant.has_season()) plant = Plant(seed += 1'000'003);
  const Fault fault = fault_of(type, plant);
  const int from = plant.between(kFaultFrom, kFaultUntil - fault.length), until = from + fault.length;
  LabelledSeries made{fmt::format("{}-{}", type, seed), std::string(type), {}, {}};
  made.readings.reserve(kMinutes);
  double held = 0;
  for (int minute = 0; minute < kMinutes; ++minute) {
    const double day = minute / (24.0 * 60);
    const bool is_faulty = fault.length > 0 && minute >= from && minute < until;
    double value = plant.value(day, 60, is_faulty && type == "noise" ? fault.size : 1);
    if (!is_faulty) held = value;
    if (is_faulty) {
      if (type == "drift") value += fault.size * (minute - from) / fault.length;
      if (type == "step" || type == "spike") value += fault.size;
      if (type == "stuck") value = held;
      if (type == "drop-out") value = 0;
      if (type == "season") value += plant.season(day + fault.size) - plant.season(day);
    }
    made.readings.push_back({kStart + minutes(minute), plant.converted(value)});
  }
  if (fault.length > 0) made.spans.push_back({kStart + minutes(from), kStart + minutes(until - 1)});
  return made;
}

LabelledSeries healthy_second_series(std::uint64_t seed, int days) {
  Plant plant(seed);
  while (!plant.has_season()) plant = Plant(seed += 1'000'003);
  LabelledSeries made{fmt::format("healthy-1hz-{}", seed), "healthy", {}, {}};
  for (std::int64_t second = 0; second < std::int64_t{days} * 86'400; ++second) {
    const double value = plant.value(static_cast<double>(second) / kDay, 1);
    made.readings.push_back({kStart + std::chrono::seconds(second), plant.converted(value)});
  }
  return made;
}

}  // namespace tidegate::bench
