#include "drivers/modbus/scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/modbus/plan.h"

namespace tidegate::drivers::modbus {
namespace {

constexpr int kIllegalFunction = 1, kIllegalAddress = 2, kIllegalValue = 3, kGatewayPath = 10, kGatewayTarget = 11;

/// What a unit's answer to being asked for a register says; nothing where none is there.
std::optional<std::string> in_words(const Answer<void>& answer, const std::vector<std::uint16_t>& registers) {
  if (answer) return fmt::format("holding register 0 is {}", registers[0]);
  const Failure& failure = answer.error();
  if (failure.exception == kGatewayPath || failure.exception == kGatewayTarget) return std::nullopt;
  if (failure.exception != 0) return fmt::format("refuses holding register 0: {}", exception_text(failure.exception));
  if (failure.error.code != Errc::io) return std::nullopt;
  return fmt::format("{}; do baud rate and parity fit, and has one unit alone this address?", failure.error.text);
}

/// Is it of no use to ask the next unit?
bool is_of_the_line(const Failure& failure) {
  const Errc code = failure.error.code;
  return failure.exception == 0 && code != Errc::timed_out && code != Errc::io && code != Errc::interrupted;
}

Result<std::vector<std::optional<std::uint16_t>>> stopped() { return fail(Errc::stopped, "stopped"); }

}  // namespace

Status find_units(Line& line, int first, int last, const std::stop_token& stop, const Watch& watch) {
  std::vector<std::uint16_t> registers;
  for (int unit = first; unit <= last; ++unit) {
    if (stop.stop_requested()) return fail(Errc::stopped, "stopped before unit {}", unit);
    watch.asking(unit);
    const auto answer = line.read(unit, {Table::holding, 0, 1}, registers);
    if (!answer && is_of_the_line(answer.error())) return fail(answer.error().error);
    auto words = in_words(answer, registers);
    if (!words) continue;
    const bool clear = answer || answer.error().exception != 0;
    const auto identity = clear ? line.identify(unit) : Answer<std::string>("");
    watch.found({unit, std::move(*words), identity ? *identity : ""});
  }
  return {};
}

Result<std::vector<std::optional<std::uint16_t>>> dump(Line& line, int unit, Table table, std::uint16_t first,
                                                       std::uint16_t last, const std::stop_token& stop) {
  const std::uint32_t most = is_bits(table) ? Limits::kMostBits : Limits::kMostRegisters;
  std::vector<std::optional<std::uint16_t>> all(std::size_t{last} - first + 1);
  std::vector<Span> open;  // the next one last
  for (std::uint32_t end = std::uint32_t{last} + 1; end > first;) {
    const std::uint32_t begin = first + (end - 1 - first) / most * most;
    open.push_back({table, static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end - begin)});
    end = begin;
  }
  std::vector<std::uint16_t> registers;
  while (!open.empty()) {
    if (stop.stop_requested()) return stopped();
    const Span span = open.back();
    open.pop_back();
    const auto answer = line.read(unit, span, registers);
    if (answer) {
      std::copy(registers.begin(), registers.end(), all.begin() + (span.first - first));
      continue;
    }
    const int exception = answer.error().exception;
    if (exception == kIllegalFunction) return fail(Errc::not_found, "unit {} has no {} table", unit, name(table));
    if (exception != kIllegalAddress && exception != kIllegalValue) return fail(answer.error().error);
    if (span.count == 1) continue;
    const auto half = static_cast<std::uint16_t>(span.count / 2);
    open.push_back(
        {table, static_cast<std::uint16_t>(span.first + half), static_cast<std::uint16_t>(span.count - half)});
    open.push_back({table, span.first, half});
  }
  return all;
}

}  // namespace tidegate::drivers::modbus
