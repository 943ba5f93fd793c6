#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/driver.h"
#include "drivers/gpio/lines.h"
#include "drivers/value.h"

namespace tidegate::drivers::gpio {

struct InputOptions {
  std::string series;
  LineOptions line;
  bool pulses = false;  ///< it is counted how often it becomes active; else the level is read
  Micros debounce{0};
  ValueOptions value;
};

struct Options {
  Micros every;  ///< between two samples of a line that rests
  std::vector<InputOptions> inputs;
};

/// A source of those inputs on those lines.
std::unique_ptr<Driver> make_inputs(Options options, std::unique_ptr<Lines> lines, const Context& context);

}  // namespace tidegate::drivers::gpio
