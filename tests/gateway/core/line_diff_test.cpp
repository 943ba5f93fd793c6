#include "gateway/core/line_diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tidegate {
namespace {

using Kind = DiffLine::Kind;

std::string side(const std::vector<DiffLine>& lines, Kind without) {
  std::string text;
  for (const DiffLine& line : lines) {
    if (line.kind != without) text += std::string(line.text) + '\n';
  }
  return text;
}

std::size_t changes(const std::vector<DiffLine>& lines) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](const DiffLine& line) { return line.kind != Kind::both; }));
}

/// By the textbook's table.
std::size_t fewest_changes(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      common[i][j] = a[i - 1] == b[j - 1] ? common[i - 1][j - 1] + 1 : std::max(common[i - 1][j], common[i][j - 1]);
    }
  }
  return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

std::string lines_of(const std::string& letters) {
  std::string text;
  for (const char c : letters) text += std::string(1, c) + '\n';
  return text;
}

TEST(LineDiff, LeadsFromOneTextToTheOtherByTheFewestLines) {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const auto letters = [&] {
      std::string text(random() % 14, 'a');
      for (char& c : text) c = static_cast<char>('a' + random() % 4);
      return text;
    };
    const std::string a = letters(), b = letters();
    const std::string before = lines_of(a), after = lines_of(b);
    const auto lines = diff_lines(before, after);
    ASSERT_EQ(side(lines, Kind::added), before) << a << " " << b;
    ASSERT_EQ(side(lines, Kind::removed), after) << a << " " << b;
    ASSERT_EQ(changes(lines), fewest_changes(a, b)) << a << " " << b;
  }
}

TEST(LineDiff, NumbersItsLines) {
  const auto lines = diff_lines("a\nb\nc", "a\nx\ny\nc\n");
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[1].before, 2);
  EXPECT_EQ(lines[1].after, 0);
  EXPECT_EQ(lines[2].before, 0);
  EXPECT_EQ(lines[2].after, 2);
  EXPECT_EQ(lines[4].before, 3);
  EXPECT_EQ(lines[4].after, 4);
}

TEST(LineDiff, TextsWithLittleInCommonAreReplacedWithoutASearchForEver) {
  std::string before, after;
  for (int i = 0; i < 50'000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const auto lines = diff_lines("same\n" + before + "end\n", "same\n" + after + "end\n");
  EXPECT_EQ(lines.size(), 100'002u);
  EXPECT_EQ(changes(lines), 100'000u);
}

TEST(LineDiff, IsWrittenAsDiffWritesIt) {
  const std::string before = lines_of("abcdefghijklmnopqrstu"), after = lines_of("Abcdefghijklmnopqrstuv");
  EXPECT_EQ(unified(diff_lines(before, after), "old", "new"),
            "--- old\n+++ new\n"
            "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n"
            "@@ -19,3 +19,4 @@\n s\n t\n u\n+v\n");
  EXPECT_EQ(unified(diff_lines("", "a\n"), "old", "new"), "--- old\n+++ new\n@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(unified(diff_lines("a\n", ""), "old", "new"), "--- old\n+++ new\n@@ -1 +0,0 @@\n-a\n");
  EXPECT_EQ(unified(diff_lines(before, before), "old", "new"), "");
  // Six lines between two changes keep them in one piece, seven do not.
  EXPECT_EQ(unified(diff_lines(lines_of("a123456b"), lines_of("A123456B")), "o", "n"),
            "--- o\n+++ n\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
  EXPECT_EQ(unified(diff_lines(lines_of("a1234567b"), lines_of("A1234567B")), "o", "n"),
            "--- o\n+++ n\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

}  // namespace
}  // namespace tidegate
