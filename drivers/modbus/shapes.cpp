// What a user may write: the source, its devices and points, and a profile.

#include <charconv>

#include "drivers/modbus/options.h"
#include "drivers/modbus/point_options.h"
#include "drivers/modbus/profiles.h"
#include "drivers/options.h"

namespace tidegate::drivers::modbus {
namespace {

using config::defaulted;
using config::optional;
using config::required;
using config::Shape;
using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

std::string check_host(std::string_view text) {
  return parse_host(text) ? "" : "an address is HOST or HOST:PORT, such as 192.168.1.20:502";
}

std::string check_address(std::string_view text) {
  return parse_address(text) ? "" : "an address is a number from 0 to 65535, or as manuals have it: 0x0034";
}

std::string check_bits(std::string_view text) {
  return parse_bits(text) ? "" : "bits are a range such as 4-7; 0 is the least significant";
}

std::string check_name(std::string_view text) {
  return valid_series_name(text) ? "" : "a name is a part of a series name: no empty level, none of + # { }";
}

Shape host_shape() { return Shape::text_where("HOST or HOST:PORT", check_host); }
Shape address_shape() { return Shape::text_where("an address", check_address); }
Shape order_shape() { return Shape::choice({"abcd", "badc", "cdab", "dcba"}); }
Shape every_shape() { return Shape::duration(milliseconds(10), hours(24)); }

/// What devices and profiles have in common; a device's word counts more.
std::vector<Shape::Field> device_settings() {
  return {
      optional("order", order_shape(),
               "Where the most significant byte (a) of a value is: abcd (the usual), cdab (words swapped), badc (bytes "
               "swapped), dcba (both)."),
      optional("addresses_from", Shape::integer(0, 1),
               "1 where the manual counts registers from 1; 0 where it gives addresses as they are on the wire."),
      optional("base", address_shape(), "Is added to every address."),
      optional("max_registers", Shape::integer(1, Limits::kMostRegisters),
               "The most registers that the device gives in one answer; 125."),
      optional("max_bits", Shape::integer(1, Limits::kMostBits), "The most coils or inputs in one answer; 2000."),
      optional("max_gap", Shape::integer(0, Limits::kMostRegisters),
               "So many registers that are no points may be read along to save a request (8; of bits, sixteen times as "
               "many)."),
  };
}

Shape writable_shape() {
  std::vector<Shape::Field> fields = writable_fields();
  fields.push_back(defaulted("function", Shape::choice({"single", "multiple"}), "single",
                             "Whether one register or coil is written by function 6 or 5, or by 16 or 15, the only "
                             "ones that some devices know."));
  return Shape::object("How a point may be written to.", std::move(fields));
}

Shape point_shape() {
  std::vector<Shape::Field> fields = {
      required("name", Shape::text_where("a name", check_name), "What the series is called, behind the device's name."),
      optional("holding", address_shape(), "Its address, if it is a holding register (functions 3, 6, 16)."),
      optional("input", address_shape(), "If it is an input register (function 4)."),
      optional("coil", address_shape(), "If it is a coil (functions 1, 5, 15)."),
      optional("discrete", address_shape(), "If it is a discrete input (function 2)."),
      optional("type", Shape::choice(type_names()), "Of a register; uint16 unless it is said."),
      optional("order", order_shape(), "The device's, unless it is said."),
      optional("length", Shape::integer(1, 120), "Of a string, in registers of two characters."),
      optional("bit", Shape::integer(0, 31), "One bit of it, 0 the least significant: the point is on or off."),
      optional("bits", Shape::text_where("bits", check_bits), "Some bits of it as a number, such as 4-7."),
      optional("exponent", address_shape(),
               "The address of the register that holds its power of ten (SunSpec's scale factor), in the same table."),
      optional("every", every_shape(), "How often it is read; as the device unless it is said."),
      optional("writable", writable_shape(), "It may be written to; missing: never."),
  };
  for (Shape::Field& field : value_fields()) fields.push_back(std::move(field));
  return Shape::object("A point of a device; one of holding, input, coil and discrete says where it is.",
                       std::move(fields));
}

Shape profile_name_shape() {
  return Shape::either({Shape::text_where("the name of a profile",
                                          [](std::string_view text) -> std::string {
                                            return shipped_profile(text) ? "" : "no such profile is shipped";
                                          }),
                        Shape::path()});
}

Shape device_shape() {
  std::vector<Shape::Field> fields = {
      required("name", Shape::text_where("a name", check_name), "What its series' names begin with."),
      required("unit", Shape::integer(0, 255),
               "Its unit (slave) address: 1 to 247; a TCP device alone may have 0 or 255."),
      optional("profile", profile_name_shape(),
               "Its registers: a profile that is shipped, or a file beside the configuration."),
      defaulted("only", patterns_shape(), "[]", "Of the profile's points these; patterns as of topics. Empty: all."),
      optional("every", every_shape(), "How often it is read; as the source unless it is said."),
      defaulted("points", Shape::list(point_shape()), "[]",
                "Its points; beside a profile's, and in place of those with the same name."),
  };
  for (Shape::Field& field : device_settings()) fields.push_back(std::move(field));
  return Shape::object("A unit on the line.", std::move(fields));
}

}  // namespace

Shape options_shape() {
  return Shape::object(
      "Devices on one Modbus connection or serial line.",
      {optional("tcp", host_shape(),
                "HOST:PORT of a device or gateway that speaks Modbus TCP; the port is 502 unless it is said."),
       optional("rtu_over_tcp", host_shape(), "HOST:PORT of a serial server that passes RTU frames on as they are."),
       optional("serial",
                Shape::object(
                    "A serial line.",
                    {required("port", Shape::path(), "/dev/serial/by-id/..., which stays the same."),
                     defaulted("baud", Shape::choice(baud_names()), "9600", "Bits a second."),
                     defaulted("parity", Shape::choice({"none", "even", "odd"}), "none", "As the devices have it."),
                     defaulted("stop_bits", Shape::integer(1, 2), "1", "As the devices have it.")}),
                "A serial line (RTU): RS-485 or RS-232."),
       defaulted("timeout", Shape::duration(milliseconds(10), seconds(10)), "1s",
                 "How long a request may take, until the last byte of its answer."),
       defaulted(
           "pause", Shape::duration(milliseconds(0), seconds(5)), "0ms",
           "At least so long between an answer and the next request; a serial line keeps 3.5 characters in any case."),
       defaulted("every", every_shape(), "1s", "How often its devices are read, unless they say otherwise."),
       required("devices", Shape::list(device_shape(), 1000), "The units on it.")});
}

Shape profile_shape() {
  std::vector<Shape::Field> fields = {
      required("description", Shape::text(), "What it is, and of whom."),
      required("manual", Shape::text(), "Where its registers are written down."),
      optional("notes", Shape::text(), "What its user should know."),
      required("points", Shape::list(point_shape()), "Its points."),
  };
  for (Shape::Field& field : device_settings()) fields.push_back(std::move(field));
  return Shape::object("The registers of a kind of device.", std::move(fields));
}

std::optional<std::pair<std::string, int>> parse_host(std::string_view text) {
  constexpr int kPort = 502;
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return std::nullopt;
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  int number = kPort;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65535) return std::nullopt;
  }
  if (host.empty() || host.find_first_of(" /[]") != host.npos) return std::nullopt;
  return std::pair(std::string(host), number);
}

}  // namespace tidegate::drivers::modbus
