// Configurations as data: wrong.txt with every line that a user would see, right.txt with what is understood.

#include "tests/gateway/config/golden.h"

#include <gmock/gmock.h>

#include "gateway/config/load.h"
#include "tests/gateway/config/as_yaml.h"
#include "tests/gateway/config/sample_shape.h"

namespace tidegate::config {
namespace {

/// The problems of a file, as of a user who stands in its folder.
std::string problems_of(const std::string& yaml) {
  const test::TempDir folder;
  Problems problems;
  load(folder.write("tidegate.yaml", yaml), sample_shape(), References::system(), problems);
  std::string text = problems.text();
  const std::string prefix = folder.path().string() + "/";
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
    text.erase(at, prefix.size());
  return text;
}

TEST(Golden, EveryWrongConfigurationIsToldWordForWord) {
  const auto cases = golden_cases("wrong.txt");
  EXPECT_GE(cases.size(), 100u);
  for (const GoldenCase& one : cases) {
    EXPECT_NE(one.expected, "") << one.title;
    EXPECT_EQ(problems_of(one.yaml), one.expected) << one.title;
  }
}

TEST(Golden, EveryRightConfigurationIsUnderstoodWithItsDefaults) {
  for (const GoldenCase& one : golden_cases("right.txt")) {
    Problems problems;
    Node node = parse(one.yaml, "right.yaml", {}, {}, problems);
    check(node, sample_shape(), problems);
    EXPECT_EQ(problems.text(), "") << one.title;
    EXPECT_EQ(as_yaml(node), one.expected) << one.title;
  }
}

TEST(Golden, WhatIsShownReadsBackAsTheSame) {
  for (const GoldenCase& one : golden_cases("right.txt")) {
    Problems problems;
    Node node = parse(one.expected, "shown.yaml", {}, {}, problems);
    check(node, sample_shape(), problems);
    EXPECT_EQ(problems.text(), "") << one.title;
    EXPECT_EQ(as_yaml(node), one.expected) << one.title;
  }
}

}  // namespace
}  // namespace tidegate::config
