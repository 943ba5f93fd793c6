#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/fields.h"
#include "drivers/record.h"
#include "drivers/serial/port.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

namespace tidegate::drivers::serial {

/// How a line is read.
struct Format {
  enum class Kind : std::uint8_t { nmea, csv, key_value, pattern, json };
  Kind kind = Kind::csv;
  std::vector<std::string> columns;  ///< of csv
  char separator = ',';
  std::vector<std::string> pattern;
  bool checksums = true;  ///< of nmea
  std::size_t max_line = 1024;
};
std::unique_ptr<RecordDecoder> make_decoder(const Format& format);

struct Options {
  PortOptions port;
  Format format;
  FieldsRule fields;
  Template series;       ///< {source}, {field}
  std::string request;   ///< sent before each reading; empty: the device sends by itself
  Micros every{0};       ///< with `request`
  Micros timeout{0};     ///< silence beyond it is bad
  std::string line_end;  ///< empty: CR or LF
};

/// The shape of a source with `type: serial`.
config::Shape shape();
/// Of a section checked against it.
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::serial
