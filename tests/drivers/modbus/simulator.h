#pragma once

#include <string>

#include "tests/support/process.h"

namespace tidegate::test {

/// tests/drivers/modbus/simulator.py, listening.
class Simulator {
 public:
  explicit Simulator(const std::string& way, const std::string& where)
      : process_({"/usr/bin/python3", TIDEGATE_SOURCE_DIR "/tests/drivers/modbus/simulator.py", "--" + way, where}) {
    ready_ = process_.wait_for_output("ready");
  }
  bool ready() const { return ready_; }
  Process& process() { return process_; }

 private:
  Process process_;
  bool ready_ = false;
};

}  // namespace tidegate::test
