#include "drivers/simulator/plant.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gateway/core/seconds.h"

namespace tidegate::drivers::simulator {

namespace {

constexpr Micros kTick = std::chrono::milliseconds(100);
constexpr double kTickSeconds = 0.1;
constexpr double kRoom = 20;     // °C about the boiler
constexpr double kLimiter = 88;  // °C at which the boiler's safety limiter trips
constexpr double kDaySeconds = 86'400;

// A first-order lag: how far `value` goes towards `target` in `dt`.
double approach(double value, double target, double dt, double time_constant) {
  return value + (target - value) * (1 - std::exp(-dt / time_constant));
}

// How long a fault lasts at most, in seconds.
double duration_of(Fault fault) {
  switch (fault) {
    case Fault::door_left_open:
      return 30;
    case Fault::pump_blocked:
      return 60;
    case Fault::sensor_lost:
      return 75;
    case Fault::overheating:
      return 300;
    case Fault::level_stuck:
      return 90;
    case Fault::burner_lockout:
      return 150;
    case Fault::none:
      break;
  }
  return 0;
}

Fault after(Fault fault) {
  return fault == Fault::burner_lockout ? Fault::door_left_open : static_cast<Fault>(static_cast<int>(fault) + 1);
}

}  // namespace

std::string_view sentence(Fault fault) {
  switch (fault) {
    case Fault::door_left_open:
      return "the cold room's door was left open";
    case Fault::pump_blocked:
      return "pump1 is blocked";
    case Fault::sensor_lost:
      return "the vibration sensor of pump1 does not answer";
    case Fault::overheating:
      return "boiler1 heats without a load";
    case Fault::level_stuck:
      return "the level sensor of tank1 is stuck";
    case Fault::burner_lockout:
      return "the burner of boiler1 is locked out";
    case Fault::none:
      break;
  }
  return "";
}

// SplitMix64 (Steele, Lea, Flood 2014).
double Random::uniform() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

// Twelve uniforms less six (Irwin-Hall): bounded by 6 deviations, so that no reading is absurd.
double Random::normal() {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += uniform();
  return sum;
}

void Drift::step(double dt, Random& random) {
  const double kept = std::exp(-dt / seconds_);
  value_ = value_ * kept + deviation_ * std::sqrt(1 - kept * kept) * random.normal();
}

void Plant::Boiler::step(double dt, double day, Fault fault, Random& random) {
  constexpr double kOn = 72, kOff = 78;
  constexpr double kBurner = 60, kLoss = 0.15, kCapacity = 840, kBaseLoad = 22, kDailyLoad = 5;
  load.step(dt, random);
  pressure_offset.step(dt, random);
  if (temperature < kOn) burning = true;
  if (temperature > kOff) burning = false;
  if (fault == Fault::overheating) burning = true;
  if (fault == Fault::burner_lockout) burning = false;
  const double drawn = fault == Fault::overheating ? 2 : std::max(5.0, kBaseLoad + kDailyLoad * day + load.value());
  const double heat = (burning ? kBurner : 0) - drawn - kLoss * (temperature - kRoom);
  temperature += heat / kCapacity * dt;
}

void Plant::ColdRoom::step(double dt, double ambient, Fault fault, Random& random) {
  constexpr double kOn = 5, kOff = 3;
  constexpr double kEvaporator = 6, kWalls = 0.05, kOpenDoor = 1.8, kToGoods = 0.1;
  constexpr double kAirCapacity = 90, kGoodsCapacity = 2000;
  until_visit -= dt;
  if (until_visit <= 0) {
    door_open = !door_open;
    until_visit = door_open ? 3 + 4 * random.uniform() : 300 + 1200 * random.uniform();
  }
  if (air > kOn) cooling = true;
  if (air < kOff) cooling = false;
  const bool open = door_open || fault == Fault::door_left_open;
  const double inwards = (kWalls + (open ? kOpenDoor : 0)) * (ambient - air) - kToGoods * (air - goods);
  const double cooled = cooling ? kEvaporator : 0;
  goods += kToGoods * (air - goods) / kGoodsCapacity * dt;
  air += (inwards - cooled) / kAirCapacity * dt;
}

void Plant::PumpAndTank::step(double dt, double day, Fault fault, Random& random) {
  constexpr double kOn = 40, kOff = 80, kFull = 100;
  constexpr double kNominalFlow = 12, kBlockedFlow = 1.8, kBaseDemand = 5, kDailyDemand = 1.5;
  constexpr double kVolume = 2, kSpinUp = 2, kHourSeconds = 3600;
  demand.step(dt, random);
  wear.step(dt, random);
  if (level < kOn) running = true;
  if (level > kOff) running = false;
  const bool blocked = fault == Fault::pump_blocked;
  if (blocked) running = true;
  flow = approach(flow, running ? (blocked ? kBlockedFlow : kNominalFlow) : 0, dt, kSpinUp);
  const double drawn = std::max(0.5, kBaseDemand + kDailyDemand * day + demand.value());
  level = std::clamp(level + (flow - drawn) / kHourSeconds / kVolume * 100 * dt, 0.0, kFull);
}

Plant::Plant(const PlantOptions& options)
    : options_(options), random_(options.seed), noise_(~options.seed), until_fault_(seconds(options.first_fault)) {}

void Plant::step(Micros time) {
  remainder_ += time;
  for (; remainder_ >= kTick; remainder_ -= kTick) tick();
}

void Plant::tick() {
  ++ticks_;
  const double time = static_cast<double>(ticks_) * kTickSeconds;
  const double day = std::sin(2 * std::numbers::pi * time / kDaySeconds);
  if (options_.faults) schedule();
  boiler_.step(kTickSeconds, day, fault_, random_);
  cold_room_.step(kTickSeconds, kRoom + 3 * day, fault_, random_);
  pump_.step(kTickSeconds, day, fault_, random_);
}

void Plant::schedule() {
  until_fault_ -= kTickSeconds;
  fault_age_ += kTickSeconds;
  if (fault_ != Fault::none && fault_is_over()) fault_ = Fault::none;
  if (fault_ == Fault::none && until_fault_ <= 0) begin_fault();
}

void Plant::begin_fault() {
  fault_ = last_fault_ = after(last_fault_);
  fault_age_ = 0;
  until_fault_ = seconds(options_.fault_every) * (0.8 + 0.4 * random_.uniform());
  if (fault_ == Fault::level_stuck) stuck_level_.reset();
}

bool Plant::fault_is_over() const {
  if (fault_ == Fault::overheating && boiler_.temperature > kLimiter) return true;
  return fault_age_ >= duration_of(fault_);
}

double Plant::vibration() {
  constexpr double kStill = 0.1, kRunning = 2.2, kBlocked = 6;
  if (!pump_.running) return kStill + 0.01 * noise_.normal();
  const double load = fault_ == Fault::pump_blocked ? kBlocked * std::min(1.0, fault_age_ / 5) : 0;
  return kRunning + load + pump_.wear.value() + 0.1 * noise_.normal();
}

std::array<Reading, kPoints.size()> Plant::read() {
  const double pressure = 1.2 + 0.012 * (boiler_.temperature - kRoom) + boiler_.pressure_offset.value();
  const bool locked = fault_ == Fault::burner_lockout;
  const bool open = cold_room_.door_open || fault_ == Fault::door_left_open;
  double level = pump_.level + 0.1 * noise_.normal();
  if (fault_ == Fault::level_stuck) level = stuck_level_.emplace(stuck_level_.value_or(level));
  const double vibrating = vibration();
  const bool vibration_answers = fault_ != Fault::sensor_lost;
  return {{{true, boiler_.temperature + 0.1 * noise_.normal(), {}},
           {true, pressure + 0.005 * noise_.normal(), {}},
           {true, 0,
            locked            ? "fault"
            : boiler_.burning ? "run"
                              : "idle"},
           {true, cold_room_.air + 0.05 * noise_.normal(), {}},
           {true, 0, open ? "open" : "closed"},
           {true, cold_room_.cooling ? 1.0 : 0.0, {}},
           {true, pump_.running ? 1.0 : 0.0, {}},
           {true, std::max(0.0, pump_.flow + (pump_.running ? 0.08 : 0.005) * noise_.normal()), {}},
           {vibration_answers, vibration_answers ? std::max(0.0, vibrating) : 0, {}},
           {true, std::clamp(level, 0.0, 100.0), {}}}};
}

}  // namespace tidegate::drivers::simulator
