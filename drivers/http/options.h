#pragma once

#include <string>
#include <vector>

#include "drivers/fields.h"
#include "drivers/http/client.h"
#include "drivers/text_pattern.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

namespace tidegate::drivers::http {

/// How an answer is read.
struct ContentRule {
  enum class Format : std::uint8_t { json, text, prometheus };
  Format format = Format::json;
  FieldsRule fields;                 ///< of JSON and text
  std::vector<std::string> pattern;  ///< of text
  std::vector<NamePattern> metrics;  ///< of Prometheus' format: those that are read; empty: all
  std::size_t max_depth = 16;
};

struct Request {
  std::string name;  ///< {request}; may be empty where there is one alone
  Micros every{0};
  RequestOptions http;
  ContentRule content;
};

struct Options {
  Template series;  ///< {source}, {request}, {field}
  std::vector<Request> requests;
};

/// The shape of a source with `type: http`.
config::Shape shape();
/// Of a section checked against it.
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::http
