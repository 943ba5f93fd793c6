#include "drivers/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "tests/drivers/section.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using testing::HasSubstr;

const std::filesystem::path kDrivers = std::filesystem::path(TIDEGATE_SOURCE_DIR) / "drivers";

std::string problems_of(const std::string& yaml) {
  config::Problems problems;
  test::source_section(yaml, problems);
  return problems.text();
}

TEST(Registry, FindsEveryTypeByItsName) {
  std::set<std::string> names;
  for (const DriverType& type : types()) {
    EXPECT_EQ(find_type(type.name), &type);
    EXPECT_TRUE(names.insert(type.name).second) << "twice: " << type.name;
    EXPECT_FALSE(type.doc.empty()) << type.name;
  }
  for (const char* expected : {"host", "self", "simulator"}) EXPECT_EQ(names.count(expected), 1u) << expected;
  EXPECT_EQ(find_type("modem"), nullptr);
}

TEST(Registry, EveryFolderIsADriverAndEveryDriverAFolder) {
  std::set<std::string> folders, names;
  for (const auto& entry : std::filesystem::directory_iterator(kDrivers)) {
    if (entry.is_directory()) folders.insert(entry.path().filename().string());
  }
  for (const DriverType& type : types()) names.insert(type.name);
  EXPECT_EQ(folders, names);
}

TEST(Sources, HaveTheSameCommonFieldsWithDefaults) {
  config::Problems problems;
  const auto section = test::source_section("{name: box, type: host}", problems);
  EXPECT_EQ(problems.text(), "");
  EXPECT_TRUE(section.boolean("enabled"));
  EXPECT_EQ(section.integer("max_series"), 5000);
  EXPECT_TRUE(section["labels"].entries.empty());
  EXPECT_EQ(section.string("report"), "every");
  EXPECT_EQ(section.duration("every"), Micros{std::chrono::seconds(2)});
}

TEST(Sources, OfAnUnknownTypeAreAProblemThatNamesTheNearest) {
  EXPECT_THAT(problems_of("{name: box, type: hots}"), HasSubstr("host"));
  EXPECT_THAT(problems_of("{name: box}"), HasSubstr("type"));
}

TEST(Sources, AreCalledByOneLevelOfASeriesName) {
  for (const char* wrong : {"''", "'a/b'", "'a+'", "'#'", "'{a}'"}) {
    EXPECT_THAT(problems_of(std::string("{type: self, name: ") + wrong + "}"), HasSubstr("one level")) << wrong;
  }
  EXPECT_THAT(problems_of("{type: self}"), HasSubstr("name"));
}

// Each driver's folder is checked against the code that it documents.
class DriverFolder : public testing::TestWithParam<std::string> {};

TEST_P(DriverFolder, HasASampleThatIsAWholeConfiguration) {
  const auto file = kDrivers / GetParam() / "sample.yaml";
  config::Problems problems;
  const auto shape = config::Shape::object("", {config::required("sources", config::Shape::list(source_shape()), "")});
  const config::Node root = config::load(file, shape, config::References::system(), problems);
  ASSERT_EQ(problems.text(), "");
  GatewayClock clock;
  Metrics metrics;
  bool has_own = false;
  for (const config::Node& section : root["sources"].items) {
    const DriverType* type = find_type(section.string("type"));
    EXPECT_NE(type->make(section, {section.string("name"), clock, metrics}, problems), nullptr);
    has_own = has_own || type->name == GetParam();
  }
  EXPECT_EQ(problems.text(), "");
  EXPECT_TRUE(has_own);
}

/// The words that stand `in code`, within a line or in a block of its own.
std::set<std::string> words_in_code(std::string_view markdown) {
  std::set<std::string> words;
  std::string word;
  bool code = false;
  for (const char c : std::string(markdown) + "`") {
    const bool of_word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    if (code && of_word) word += c;
    if (!of_word && !word.empty()) words.insert(std::exchange(word, {}));
    if (c == '`') code = !code;
  }
  return words;
}

/// However deep they stand; what the keys of a map may be is the operator's own.
void collect_options(const nlohmann::json& schema, std::set<std::string>& found) {
  if (!schema.is_object()) return;
  if (schema.contains("properties")) {
    for (const auto& [key, value] : schema["properties"].items()) {
      found.insert(key);
      collect_options(value, found);
    }
  }
  for (const char* below : {"items", "additionalProperties"}) {
    if (schema.contains(below)) collect_options(schema[below], found);
  }
  for (const char* choices : {"anyOf", "oneOf"}) {
    if (!schema.contains(choices)) continue;
    for (const auto& one : schema[choices]) collect_options(one, found);
  }
}

/// What all points have in common stands in drivers/README.md, once.
std::set<std::string> options_of_all_points() {
  const std::string readme = test::read_file(kDrivers / "README.md");
  const auto begin = readme.find("## The options of a point"), end = readme.find("## What polled devices");
  EXPECT_LT(begin, end);
  return words_in_code(std::string_view(readme).substr(begin, end - begin));
}

TEST_P(DriverFolder, ReadmeNamesEveryOption) {
  const std::string readme = test::read_file(kDrivers / GetParam() / "README.md");
  const auto schema = nlohmann::json::parse(config::json_schema(find_type(GetParam())->options, GetParam()));
  ASSERT_TRUE(schema.contains("properties")) << schema.dump(2);
  for (const auto& [key, value] : schema["properties"].items()) {
    EXPECT_THAT(readme, HasSubstr("`" + key + "`")) << "of the driver " << GetParam();
  }
  std::set<std::string> options, missing;
  collect_options(schema, options);
  auto named = words_in_code(readme);
  named.merge(options_of_all_points());
  std::set_difference(options.begin(), options.end(), named.begin(), named.end(),
                      std::inserter(missing, missing.begin()));
  EXPECT_THAT(missing, testing::IsEmpty()) << "of the driver " << GetParam();
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const DriverType& type : types()) all.push_back(type.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Of, DriverFolder, testing::ValuesIn(names()), [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace tidegate::drivers
