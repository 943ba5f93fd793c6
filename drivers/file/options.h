#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "drivers/fields.h"
#include "drivers/file/follower.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

namespace tidegate::drivers::file {

/// How a recording is replayed.
struct ReplayOptions {
  double speed = 1;  ///< times as fast as it was; 0: as fast as it is stored
  bool loop = false;
  bool own_times = false;  ///< else: now
  std::vector<Pattern> counters;
  Units units;
};

struct Options {
  enum class Format : std::uint8_t { csv, jsonl };

  std::filesystem::path path;
  Format format = Format::csv;
  Template series;  ///< {source}, {field}; of a recording also {series}
  std::size_t max_line = 0;

  // Of a file that grows.
  std::vector<std::string> columns;  ///< of csv; empty: its first line says
  char separator = ',';
  FieldsRule fields;
  Micros every{0};
  Micros silent_after{0};
  Follower::From from = Follower::From::end;
  std::filesystem::path position;  ///< where it is kept how far it was read; empty: nowhere

  std::optional<ReplayOptions> replay;
};

/// The shape of a source with `type: file`.
config::Shape shape();
/// Of a section checked against it.
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::file
