#include "gateway/app/modbus_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>

#include "drivers/modbus/decode.h"
#include "drivers/modbus/options.h"
#include "drivers/modbus/profiles.h"
#include "drivers/modbus/scan.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/commands.h"
#include "gateway/tools/interrupt.h"
#include "gateway/tools/progress.h"

namespace tidegate::app {
namespace {

namespace modbus = drivers::modbus;
using tools::Value;

/// "1-247", "5".
Result<std::pair<int, int>> parse_range(const std::string& text, int most) {
  const auto number = [&](std::string_view part) {
    int value = -1;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc{} && end == part.data() + part.size() ? value : -1;
  };
  const std::size_t dash = text.find('-');
  const int first = number(std::string_view(text).substr(0, dash));
  const int last = dash == text.npos ? first : number(std::string_view(text).substr(dash + 1));
  if (first < 0 || last < first || last > most) {
    return fail(Errc::invalid, "'{}' is no range such as 0-99, of at most {}", printable(text, 40), most);
  }
  return std::pair(first, last);
}

using Cells = std::vector<std::optional<std::uint16_t>>;

/// The registers of a unit, each as what it may be: alone, and with the one behind it.
class Dump {
 public:
  explicit Dump(tools::Rows& rows) : rows_(rows) {}

  Status begin() {
    static constexpr std::string_view kColumns[] = {"table",  "address", "hex",     "uint16",       "int16",
                                                    "uint32", "int32",   "float32", "float32_cdab", "text"};
    return rows_.columns(kColumns);
  }
  Status table(modbus::Table table, int first, const Cells& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i]) continue;
      const auto next = i + 1 < cells.size() ? cells[i + 1] : std::nullopt;
      if (Status status = row(table, first + static_cast<std::int64_t>(i), *cells[i], next); !status) return status;
    }
    return {};
  }

 private:
  Status row(modbus::Table table, std::int64_t address, std::uint16_t value, std::optional<std::uint16_t> next) {
    const std::string hex = modbus::is_bits(table) ? "" : fmt::format("{:#06x}", value);
    std::string text;
    const auto as = [&](modbus::Type type, modbus::Order order = modbus::Order::abcd) -> Value {
      const std::uint16_t both[] = {value, next.value_or(0)};
      const modbus::Format format{type, order, 1};
      const bool wide = modbus::width(format) == 2;
      if (modbus::is_bits(table) || (wide && !next)) return {};
      const auto reading = modbus::decode(std::span(both).first(wide ? 2 : 1), format, text);
      if (reading.type == drivers::Reading::Type::text) return reading.text;
      if (reading.type != drivers::Reading::Type::number) return {};
      if (modbus::is_integer(type)) return static_cast<std::int64_t>(reading.number);
      double shown = reading.number;
      parse_number(fmt::format("{}", static_cast<float>(reading.number)), shown);  // 230.2, not 230.1999969482422
      return shown;
    };
    using modbus::Type;
    const Value cells[] = {modbus::name(table),
                           address,
                           std::string_view(hex),
                           modbus::is_bits(table) ? Value(std::int64_t{value}) : as(Type::uint16),
                           as(Type::int16),
                           as(Type::uint32),
                           as(Type::int32),
                           as(Type::float32),
                           as(Type::float32, modbus::Order::cdab),
                           as(Type::string)};
    return rows_.row(cells);
  }

  tools::Rows& rows_;
};

}  // namespace

ModbusCommand::ModbusCommand(CLI::App& program) {
  CLI::App* group = program.add_subcommand("modbus", "For setting up a Modbus source: scan, profiles.");
  group->require_subcommand(1);
  CLI::App* scan = group->add_subcommand("scan", "Find the units on a line, or read what one of them holds.");
  scan->add_option("--tcp", tcp_, "A device or gateway that speaks Modbus TCP")->option_text("HOST[:PORT]");
  scan->add_option("--rtu-over-tcp", rtu_over_tcp_, "A serial server")->option_text("HOST[:PORT]");
  scan->add_option("--serial", serial_, "A serial port; no source may have it open")->option_text("PATH");
  scan->add_option("--baud", baud_, "Its speed")->capture_default_str();
  scan->add_option("--parity", parity_, "none, even, odd")
      ->check(CLI::IsMember({"none", "even", "odd"}))
      ->option_text("WORD [none]");
  scan->add_option("--stop-bits", stop_bits_, "1 or 2")->check(CLI::Range(1, 2))->option_text("N [1]");
  scan->add_option("--timeout", timeout_, "So long each unit has to answer")->option_text("DURATION [200ms]");
  scan->add_option("--units", units_, "Those that are asked")->option_text("FIRST-LAST [1-247]");
  scan->add_option("--unit", unit_, "Read this one instead")->check(CLI::Range(0, 255))->option_text("N");
  for (const auto& [option, range] : {std::pair("--holding", &ranges_.holding), std::pair("--input", &ranges_.input),
                                      std::pair("--coil", &ranges_.coil), std::pair("--discrete", &ranges_.discrete)}) {
    scan->add_option(option, *range, "Its addresses, from 0")->option_text("FIRST-LAST");
  }
  tools::add_answer_format(*scan, format_);
  scan->footer(
      "For example:  tidegate modbus scan --serial /dev/ttyUSB0 --baud 9600\n"
      "              tidegate modbus scan --tcp 192.168.1.20 --unit 1 --holding 0-99 --input 0-99");
  scan_command_ = scan;
  CLI::App* profiles = group->add_subcommand("profiles", "List the profiles that are shipped, or print one.");
  profiles->add_option("name", profile_, "To be printed, as a file to copy");
  profiles_command_ = profiles;
}

std::optional<int> ModbusCommand::run() const {
  if (!scan_command_->parsed() && !profiles_command_->parsed()) return std::nullopt;
  const Result<int> code = scan_command_->parsed() ? scan() : profiles();
  if (code) return *code;
  fmt::print(stderr, "tidegate modbus: {}\n", code.error().text);
  if (code.error().code == Errc::stopped) return tools::kInterrupted;
  return code.error().code == Errc::invalid ? tools::kUsage : tools::kFailed;
}

Result<modbus::LineOptions> ModbusCommand::line() const {
  modbus::LineOptions line;
  const auto timeout = parse_duration(timeout_);
  if (!timeout || *timeout < std::chrono::milliseconds(10) || *timeout > std::chrono::seconds(10)) {
    return fail(Errc::invalid, "--timeout is a duration from 10ms to 10s");
  }
  line.timeout = *timeout;
  const int ways = !tcp_.empty() + !rtu_over_tcp_.empty() + !serial_.empty();
  if (ways != 1) return fail(Errc::invalid, "say where: one of --tcp, --rtu-over-tcp and --serial");
  if (!serial_.empty()) {
    line.kind = modbus::LineOptions::Kind::serial;
    line.path = serial_;
    line.baud = baud_;
    line.parity = parity_ == "none" ? 'N' : parity_ == "even" ? 'E' : 'O';
    line.stop_bits = stop_bits_;
    return line;
  }
  const std::string& address = tcp_.empty() ? rtu_over_tcp_ : tcp_;
  const auto host = modbus::parse_host(address);
  if (!host) return fail(Errc::invalid, "'{}' is no HOST or HOST:PORT", printable(address, 80));
  line.kind = tcp_.empty() ? modbus::LineOptions::Kind::rtu_over_tcp : modbus::LineOptions::Kind::tcp;
  std::tie(line.host, line.port) = *host;
  return line;
}

Result<int> ModbusCommand::scan() const {
  auto options = line();
  if (!options) return fail(options.error());
  std::signal(SIGPIPE, SIG_IGN);
  modbus::Line line(std::move(*options));
  const bool some = !(ranges_.holding + ranges_.input + ranges_.coil + ranges_.discrete).empty();
  if (some && unit_ < 0) return fail(Errc::invalid, "say of which unit: --unit N");
  return some ? dump(line) : find(line);
}

Result<int> ModbusCommand::find(modbus::Line& line) const {
  const auto range = unit_ >= 0 ? Result<std::pair<int, int>>(std::pair(unit_, unit_)) : parse_range(units_, 247);
  if (!range) return fail(range.error());
  const tools::Interrupt interrupt;
  tools::Output output;
  const auto rows = tools::Rows::make(format_, output);
  static constexpr std::string_view kColumns[] = {"unit", "answer", "identity"};
  Status written = rows->columns(kColumns);
  std::size_t count = 0;
  tools::Progress progress;
  const auto found = [&](const modbus::FoundUnit& unit) {
    ++count;
    const Value cells[] = {std::int64_t{unit.unit}, std::string_view(unit.answer), std::string_view(unit.identity)};
    if (written) written = rows->row(cells);
  };
  const auto asking = [&](int unit) {
    progress.show([&] { return fmt::format("asking unit {} of {}, {} found", unit, range->second, count); });
  };
  const Status done = modbus::find_units(line, range->first, range->second, interrupt.token(), {found, asking});
  progress.clear();
  if (count > 0 && written) written = rows->end();
  if (count > 0 && written) written = output.flush();
  if (!done) return fail(done.error());
  if (!written) return fail(written.error());
  if (count > 0) return tools::kDone;
  return fail(Errc::not_found, "no unit from {} to {} answers at {} within {}; do the cable, baud rate and parity fit?",
              range->first, range->second, line.options().text(), timeout_);
}

Result<int> ModbusCommand::dump(modbus::Line& line) const {
  using modbus::Table;
  const tools::Interrupt interrupt;
  tools::Output output;
  const auto rows = tools::Rows::make(format_, output);
  Dump answer(*rows);
  if (Status begun = answer.begin(); !begun) return fail(begun.error());
  for (const auto& [range, table] :
       {std::pair(&ranges_.holding, Table::holding), std::pair(&ranges_.input, Table::input),
        std::pair(&ranges_.coil, Table::coil), std::pair(&ranges_.discrete, Table::discrete)}) {
    if (range->empty()) continue;
    const auto wanted = parse_range(*range, 65535);
    if (!wanted) return fail(wanted.error());
    const auto cells = modbus::dump(line, unit_, table, static_cast<std::uint16_t>(wanted->first),
                                    static_cast<std::uint16_t>(wanted->second), interrupt.token());
    if (!cells) return fail(cells.error());
    if (Status put = answer.table(table, wanted->first, *cells); !put) return fail(put.error());
  }
  return tools::finish(rows->end(), output);
}

Result<int> ModbusCommand::profiles() const {
  tools::Output output;
  if (!profile_.empty()) {
    const auto profile = modbus::shipped_profile(profile_);
    if (!profile) return fail(Errc::not_found, "no profile '{}'; `tidegate modbus profiles` lists them", profile_);
    return tools::finish(output.write(*profile), output);
  }
  Status written;
  for (const modbus::Profile& profile : modbus::shipped_profiles()) {
    // The first line of each is its description.
    const std::string_view first = profile.yaml.substr(0, profile.yaml.find('\n'));
    if (written) {
      written = output.write(fmt::format("{:<16} {}\n", profile.name, first.substr(first.find(": ") + 2)));
    }
  }
  return tools::finish(std::move(written), output);
}

}  // namespace tidegate::app
