#pragma once

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace tidegate::config {

/// A configuration and what comes of it; in the file "=== title", the YAML, ">>>", the expected text.
struct GoldenCase {
  std::string title;
  std::string yaml;
  std::string expected;
};

inline std::vector<GoldenCase> golden_cases(const std::string& file) {
  const std::string text = "\n" + test::read_file(std::string(CASES) + "/" + file);
  std::vector<GoldenCase> cases;
  for (std::size_t at = text.find("\n=== "); at != std::string::npos;) {
    const std::size_t next = text.find("\n=== ", at + 1);
    const std::string one = text.substr(at + 5, next == std::string::npos ? next : next - at - 4);
    const std::size_t yaml = one.find('\n') + 1;
    const std::size_t expected = one.find(">>>\n", yaml);
    cases.push_back({one.substr(0, yaml - 1), one.substr(yaml, expected - yaml), one.substr(expected + 4)});
    at = next;
  }
  return cases;
}

}  // namespace tidegate::config
