#include "gateway/app/rule_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "gateway/app/settings.h"
#include "gateway/config/load.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/surroundings.h"
#include "rules/scenario.h"

namespace tidegate::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnd = ".test.yaml";

struct Test {
  fs::path file;
  rules::Outcome outcome;
};

/// Of a folder and all below it, in order of name.
std::vector<fs::path> tests_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().string().ends_with(kEnd)) found.push_back(entry->path());
  }
  if (error) fmt::print(stderr, "tidegate test: not all of {} can be read: {}\n", folder.string(), error.message());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> find_tests(const RuleTests& tests) {
  std::vector<fs::path> paths = tests.paths;
  if (paths.empty()) paths.push_back(tests.configuration.parent_path() / "tests");
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const auto found = tests_in(path);
    if (found.empty()) fmt::print(stderr, "tidegate test: {} has no *{}\n", path.string(), kEnd);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

rules::Outcome play(const fs::path& file, const Settings& known) {
  const config::References references = config::References::system();
  const auto text = references.read_file(file);
  if (!text) return {{text.error().text}, {}};
  config::Problems problems;
  config::Node scenario = config::parse(*text, file.string(), file.parent_path(), references, problems);
  if (!problems.empty()) return {{problems.text()}, {}};
  return rules::run_scenario(std::move(scenario), known.rules, known.derived);
}

void print_indented(std::string_view text, std::string_view by) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    fmt::print("{}{}\n", by, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void print(const Test& test) {
  fmt::print("{:<7} {}\n", test.outcome.failures.empty() ? "ok" : "FAILED", test.file.string());
  if (test.outcome.failures.empty()) return;
  for (const std::string& failure : test.outcome.failures) print_indented(failure, "        ");
  if (test.outcome.timeline.empty()) return;
  fmt::print("        what happened:\n");
  for (const std::string& line : test.outcome.timeline) print_indented(line, "          ");
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
  }
  return out;
}

bool write_junit(const fs::path& file, const std::vector<Test>& all, std::size_t failed) {
  std::ofstream out(file, std::ios::binary);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out << fmt::format("<testsuite name=\"tidegate test\" tests=\"{}\" failures=\"{}\">\n", all.size(), failed);
  for (const Test& test : all) {
    out << fmt::format("  <testcase name=\"{}\">", xml(test.file.string()));
    if (!test.outcome.failures.empty()) {
      const std::string text =
          fmt::format("{}\n\n{}", fmt::join(test.outcome.failures, "\n"), fmt::join(test.outcome.timeline, "\n"));
      out << fmt::format("\n    <failure message=\"{}\">{}</failure>\n  ", xml(test.outcome.failures[0]), xml(text));
    }
    out << "</testcase>\n";
  }
  out << "</testsuite>\n";
  return static_cast<bool>(out.flush());
}

}  // namespace

int run_rule_tests(const RuleTests& tests) {
  Settings known;
  std::error_code ignored;
  if (fs::exists(tests.configuration, ignored)) {
    config::Problems problems;
    known = load_to_look(tests.configuration, problems);
    if (!problems.empty()) {
      fmt::print(stderr, "{}the rules of {} cannot be tested before that is mended\n", problems.text(),
                 tests.configuration.string());
      return tools::kConfigurationWrong;
    }
  }
  std::vector<Test> all;
  std::size_t failed = 0;
  for (const fs::path& file : find_tests(tests)) {
    print(all.emplace_back(Test{file, play(file, known)}));
    failed += all.back().outcome.failures.empty() ? 0 : 1;
  }
  if (all.empty()) {
    fmt::print(stderr, "tidegate test: nothing to test; see docs/testing-rules.md for what a test looks like\n");
    return 1;
  }
  fmt::print("{}, {} failed\n", tools::counted(all.size(), "test", "tests"), failed);
  if (!tests.junit.empty() && !write_junit(tests.junit, all, failed)) {
    fmt::print(stderr, "tidegate test: {} cannot be written\n", tests.junit.string());
    return 1;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace tidegate::app
