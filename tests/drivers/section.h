#pragma once

#include <memory>
#include <string>

#include "drivers/registry.h"
#include "gateway/config/load.h"

namespace tidegate::test {

/// The one item of `sources:` that `yaml` (a flow map) is, checked and with its defaults; problems go to `problems`.
inline config::Node source_section(const std::string& yaml, config::Problems& problems) {
  config::Node node = config::parse(yaml, "test.yaml", ".", config::References::system(), problems);
  config::check(node, drivers::source_shape(), problems);
  return node;
}

/// The driver of such a section; nullptr, with the problems as text in `why`, where there is none.
inline std::unique_ptr<drivers::Driver> make_driver(const std::string& yaml, const Clock& clock, Metrics& metrics,
                                                    std::string& why) {
  config::Problems problems;
  const config::Node section = source_section(yaml, problems);
  std::unique_ptr<drivers::Driver> driver;
  if (problems.empty()) {
    const drivers::Context context{section.string("name"), clock, metrics};
    driver = drivers::find_type(section.string("type"))->make(section, context, problems);
  }
  why = problems.text();
  return driver;
}

}  // namespace tidegate::test
