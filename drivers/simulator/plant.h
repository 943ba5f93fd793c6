#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/core/types.h"

namespace tidegate::drivers::simulator {

/// What goes wrong. Only the first of its kind at a time, in this order, over and over.
enum class Fault : std::uint8_t {
  none,
  door_left_open,  ///< the cold room warms beyond 8 °C within half a minute
  pump_blocked,    ///< little flow, much vibration
  sensor_lost,     ///< pump1/vibration does not answer
  overheating,     ///< the burner's relay sticks and nobody draws heat, until the safety limiter trips
  level_stuck,     ///< tank1/level repeats one value
  burner_lockout   ///< no flame, no heat
};
/// For people; empty for `none`.
std::string_view sentence(Fault);

/// A measuring point of the plant.
struct Point {
  std::string_view path;
  SeriesKind kind;
  std::string_view unit;
};
inline constexpr std::array<Point, 10> kPoints = {{{"boiler1/temperature", SeriesKind::number, "°C"},
                                                   {"boiler1/pressure", SeriesKind::number, "bar"},
                                                   {"boiler1/burner", SeriesKind::state, ""},
                                                   {"coldroom/temperature", SeriesKind::number, "°C"},
                                                   {"coldroom/door", SeriesKind::state, ""},
                                                   {"coldroom/compressor", SeriesKind::boolean, ""},
                                                   {"pump1/running", SeriesKind::boolean, ""},
                                                   {"pump1/flow", SeriesKind::number, "m³/h"},
                                                   {"pump1/vibration", SeriesKind::number, "mm/s"},
                                                   {"tank1/level", SeriesKind::number, "%"}}};

/// What a point shows: a number, or the text of a state.
struct Reading {
  bool answered = true;
  double value = 0;
  std::string_view state;
};

struct PlantOptions {
  std::uint64_t seed = 1;
  bool faults = true;
  Micros first_fault = std::chrono::seconds(20);
  Micros fault_every = std::chrono::minutes(3);
};

/// Random numbers that are the same on every machine (the standard library's distributions are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double uniform();  ///< in [0, 1)
  double normal();   ///< mean 0, deviation 1

 private:
  std::uint64_t state_;
};

/// A value that wanders about 0 and comes back (Ornstein-Uhlenbeck): drift that stays plausible for years.
class Drift {
 public:
  Drift(double deviation, double seconds) : deviation_(deviation), seconds_(seconds) {}
  void step(double dt, Random& random);
  double value() const { return value_; }

 private:
  double deviation_, seconds_;
  double value_ = 0;
};

/// A boiler, a cold room, and a pump that fills a tank. Pure: the same seed and the same time passed give the same
/// readings, whatever the size of the steps. One thread.
class Plant {
 public:
  explicit Plant(const PlantOptions& options);

  void step(Micros time);
  /// What the sensors show now, in the order of kPoints. Noise is drawn anew on each call.
  std::array<Reading, kPoints.size()> read();
  Fault fault() const { return fault_; }

 private:
  // Heat balances in kW and kJ/K, temperatures in °C; volumes in m³.
  struct Boiler {
    double temperature = 74;
    bool burning = false;
    Drift load{4, 900};
    Drift pressure_offset{0.03, 21'600};
    void step(double dt, double day, Fault fault, Random& random);
  };
  struct ColdRoom {
    double air = 4;
    double goods = 4;
    bool cooling = false;
    bool door_open = false;
    double until_visit = 400;  // seconds until somebody goes in, or comes out
    void step(double dt, double ambient, Fault fault, Random& random);
  };
  struct PumpAndTank {
    double flow = 0;
    double level = 62;
    bool running = false;
    Drift demand{0.5, 600};
    Drift wear{0.3, 43'200};
    void step(double dt, double day, Fault fault, Random& random);
  };

  void tick();
  void schedule();
  void begin_fault();
  bool fault_is_over() const;
  double vibration();

  PlantOptions options_;
  Random random_;
  Random noise_;  // of its own, so that the plant goes its way however often it is read
  Micros remainder_{0};
  std::int64_t ticks_ = 0;
  Fault fault_ = Fault::none;
  Fault last_fault_ = Fault::none;
  double until_fault_;    // seconds
  double fault_age_ = 0;  // seconds
  std::optional<double> stuck_level_;
  Boiler boiler_;
  ColdRoom cold_room_;
  PumpAndTank pump_;
};

}  // namespace tidegate::drivers::simulator
