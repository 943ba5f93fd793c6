#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "drivers/gpio/source.h"
#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "tests/drivers/gpio/pins.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::gpio {

/// A source of pins that a test holds the other end of.
class OnPins : public testing::Test {
 protected:
  explicit OnPins(std::unique_ptr<Pins> pins = nullptr) : pins_(std::move(pins)) {}

  InputOptions input(const std::string& series, std::size_t pin, bool pulses = false, Micros debounce = {}) const {
    return {.series = series, .line = pins_->line(pin), .pulses = pulses, .debounce = debounce};
  }
  /// A pump on a relay, which may be set, and the power of a sensor, which is on: on two pins from this one on.
  std::vector<OutputOptions> pump_and_power(std::size_t first) const {
    const Writable pump{{.series = "pump", .kind = SeriesKind::boolean}, {}};
    std::vector<OutputOptions> outputs = {{"pump", pins_->line(first), {}, pump},
                                          {"power", pins_->line(first + 1), {}, std::nullopt}};
    outputs[0].line.output = false;
    outputs[1].line.output = true;
    return outputs;
  }

  void start(std::vector<InputOptions> inputs, Micros every = std::chrono::milliseconds(100),
             std::vector<OutputOptions> outputs = {}, Micros first_rest = std::chrono::seconds(1)) {
    run(make_source({every, std::move(inputs), std::move(outputs), first_rest}, pins_->lines(),
                    {"box", clock_, metrics_}));
  }
  /// As `tidegate read` does.
  void look(std::vector<InputOptions> inputs, std::vector<OutputOptions> outputs) {
    run(make_source({std::chrono::milliseconds(100), std::move(inputs), std::move(outputs)}, pins_->lines(),
                    {"box", clock_, metrics_, true}));
  }
  void run(std::unique_ptr<Driver> driver) {
    driver_ = std::move(driver);
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && last->value == value;
    });
  }

  std::unique_ptr<Pins> pins_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

}  // namespace tidegate::drivers::gpio
