#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tidegate::app {

/// `tidegate test`: plays scenarios (docs/testing-rules.md) and tells which went otherwise than written.
struct RuleTests {
  std::filesystem::path configuration;  ///< its rules may be named; need not be there
  std::vector<std::filesystem::path>
      paths;                    ///< files, or folders of *.test.yaml; empty: `tests` beside the configuration
  std::filesystem::path junit;  ///< where to write a report for other programs, or empty
};

/// The exit code: 0, or 1 where one failed or none was found.
int run_rule_tests(const RuleTests& tests);

}  // namespace tidegate::app
