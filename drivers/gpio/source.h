#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/driver.h"
#include "drivers/gpio/lines.h"
#include "drivers/writable.h"

namespace tidegate::drivers::gpio {

struct InputOptions {
  std::string series;
  LineOptions line;
  bool pulses = false;  ///< it is counted how often it becomes active; else the level is read
  Micros debounce{0};
  ValueOptions value;
};

struct OutputOptions {
  std::string series;
  LineOptions line;  ///< an output
  ValueOptions value;
  std::optional<Writable> writable;  ///< nothing: it stays as it is at first
};

struct Options {
  Micros every;  ///< between two samples of a line that rests
  std::vector<InputOptions> inputs;
  std::vector<OutputOptions> outputs{};
  Micros first_rest = std::chrono::seconds(1);  ///< before lines that are lost are tried again; then longer and longer
};

/// A source of those on those lines, the inputs first.
std::unique_ptr<Driver> make_source(Options options, std::unique_ptr<Lines> lines, const Context& context);

}  // namespace tidegate::drivers::gpio
