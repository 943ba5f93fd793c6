#pragma once

#include <optional>
#include <string>

#include "drivers/modbus/line.h"
#include "gateway/tools/rows.h"

namespace CLI {
class App;
}

namespace tidegate::app {

/// `tidegate modbus scan` and `tidegate modbus profiles`: for setting a Modbus source up. They need neither a gateway
/// nor its store.
class ModbusCommand {
 public:
  /// Adds them to the program's; outlives its parsing.
  explicit ModbusCommand(CLI::App& program);
  ModbusCommand(const ModbusCommand&) = delete;
  ModbusCommand& operator=(const ModbusCommand&) = delete;
  /// After that: the exit code, or nothing where it is neither.
  std::optional<int> run() const;

 private:
  struct Ranges {
    std::string holding, input, coil, discrete;
  };
  Result<drivers::modbus::LineOptions> line() const;
  Result<int> scan() const;
  Result<int> find(drivers::modbus::Line& line) const;
  Result<int> dump(drivers::modbus::Line& line) const;
  Result<int> profiles() const;

  const CLI::App* scan_command_;
  const CLI::App* profiles_command_;
  std::string tcp_, rtu_over_tcp_, serial_, parity_ = "none", timeout_ = "200ms", units_ = "1-247", profile_;
  int baud_ = 9600, stop_bits_ = 1, unit_ = -1;
  Ranges ranges_;
  tools::Format format_ = tools::Format::table;
};

}  // namespace tidegate::app
