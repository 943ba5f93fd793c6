#include <fmt/format.h>
#include <gmock/gmock.h>

#include "gateway/config/load.h"

namespace tidegate::config {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct Parsed {
  Node node;
  Problems problems;
};

Parsed read(std::string_view yaml) {
  Parsed parsed;
  parsed.node = parse(yaml, "f.yaml", {}, {}, parsed.problems);
  return parsed;
}

TEST(Parse, TellsThePlaceOfKeysAndValues) {
  const Parsed parsed = read("a: 1\nb:\n  - x\n  -   y\n");
  EXPECT_EQ(parsed.problems.text(), "");
  EXPECT_EQ(text(parsed.node.entries[1].at), "f.yaml:2:1");
  EXPECT_EQ(text(parsed.node["a"].at), "f.yaml:1:4");
  EXPECT_EQ(text(parsed.node["b"].items[1].at), "f.yaml:4:7");
}

TEST(Parse, KnowsPlainFromQuotedText) {
  const Node node = read("{a: 5, b: '5', c: \"5\", d: !!str 5, e: ! 5}").node;
  EXPECT_FALSE(node["a"].quoted);
  for (const char* key : {"b", "c", "d", "e"}) EXPECT_TRUE(node[key].quoted) << key;
}

TEST(Parse, ReadsWindowsLineEndsAndAByteOrderMark) {
  const Parsed parsed = read(
      "\xEF\xBB\xBF"
      "a: |\r\n  one\r\n  two\r\nb: 'x'\r\n");
  EXPECT_EQ(parsed.problems.text(), "");
  EXPECT_EQ(parsed.node.string("a"), "one\ntwo\n");
  EXPECT_EQ(text(parsed.node["b"].at), "f.yaml:4:4");
  EXPECT_EQ(text(parsed.node.entries[0].at), "f.yaml:1:1");
}

TEST(Parse, AnEmptyFileIsNull) {
  for (const char* yaml : {"", "\n\n", "# a comment\n", "---\n", "~"}) {
    const Parsed parsed = read(yaml);
    EXPECT_TRUE(parsed.node.is_null()) << yaml;
    EXPECT_FALSE(parsed.node.refused) << yaml;
    EXPECT_TRUE(parsed.problems.empty()) << yaml;
  }
}

TEST(Parse, EveryTabInTheIndentationIsAProblem) {
  EXPECT_EQ(read("a:\n\tb: 1\n  c:\n  \td: 1\n").problems.text(),
            "f.yaml:2:1: a tab as indentation; YAML takes spaces only\n"
            "f.yaml:4:3: a tab as indentation; YAML takes spaces only\n");
}

TEST(Parse, TabsElsewhereAreNoProblem) {
  const Parsed parsed = read("a: 1\t# one\nb: |\n  x\n  \ty\n\nc:\t2\n");
  EXPECT_EQ(parsed.problems.text(), "");
  EXPECT_EQ(parsed.node.string("b"), "x\n\ty\n");
  EXPECT_EQ(parsed.node.string("c"), "2");
}

TEST(Parse, AControlCharacterIsAProblemAndDoesNotEndTheFile) {
  EXPECT_EQ(read("a: 1\nb: \x04\nc: 3\n").problems.text(),
            "f.yaml:2:1: the line has a control character, \\x04; remove it\n");
  EXPECT_THAT(read(std::string_view("a: \0", 4)).problems.text(), HasSubstr("control character"));
  EXPECT_THAT(read("a: 1\rb: 2\r").problems.text(), HasSubstr("control character"));
}

TEST(Parse, AFileThatIsNotUtf8IsRefused) {
  EXPECT_EQ(read("a: \xFF\n").problems.text(), "f.yaml: the file is not UTF-8 text; save it as UTF-8\n");
  EXPECT_FALSE(read(std::string_view("\xFF\xFE"
                                     "a\0:\0 \0b\0",
                                     10))
                   .problems.empty());
}

TEST(Parse, AFileBeyondTheBoundIsRefused) {
  EXPECT_EQ(read(std::string(kMaxFileBytes + 1, ' ')).problems.text(),
            "f.yaml: the file is larger than 1048576 bytes\n");
  EXPECT_TRUE(read(std::string(kMaxFileBytes, ' ')).problems.empty());
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Parse, NestingIsBounded) {
  EXPECT_TRUE(read(nested(kMaxDepth)).problems.empty());
  EXPECT_EQ(read(nested(kMaxDepth + 1)).problems.text(), "f.yaml:1:33: nested deeper than 32 levels\n");
  EXPECT_THAT(read(nested(kMaxFileBytes / 2)).problems.text(), HasSubstr("nested deeper than 32 levels"));
}

TEST(Parse, NestingThroughAliasesIsBounded) {
  std::string yaml = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) yaml += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_THAT(read(yaml).problems.text(), HasSubstr("nested deeper than 32 levels"));
}

TEST(Parse, AnAliasBombIsRefusedBeforeItGoesOff) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i)
    yaml += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  const Parsed parsed = read(yaml);
  EXPECT_THAT(parsed.problems.text(), HasSubstr("more than 200000 values; an alias counts as all that it stands for"));
  EXPECT_TRUE(parsed.node.refused);
}

TEST(Parse, AnchorsWithinAnchorsCountToo) {
  std::string yaml;
  for (int i = 0; i < 30; ++i) yaml += fmt::format("&a{} [", i);
  for (int i = 0; i < 30'000; ++i) yaml += "x,";
  yaml += std::string(30, ']');
  EXPECT_THAT(read(yaml).problems.text(), HasSubstr("more than 200000 values"));
}

TEST(Parse, MoreValuesThanTheBoundAreRefused) {
  std::string yaml;
  for (std::size_t i = 0; i < kMaxNodes + 1; ++i) yaml += "- 1\n";
  EXPECT_THAT(read(yaml).problems.text(), HasSubstr("more than 200000 values"));
}

TEST(Parse, AMergeAddsWhatTheMapDoesNotSet) {
  const Parsed parsed = read(
      "one: &one {a: 1, b: 1}\n"
      "two: &two {b: 2, c: 2}\n"
      "all: {<<: [*one, *two], c: 3}\n"
      "quoted: {'<<': text}\n");
  EXPECT_EQ(parsed.problems.text(), "");
  const Node& all = parsed.node["all"];
  EXPECT_THAT(all.entries, SizeIs(3));
  EXPECT_EQ(all.string("a") + all.string("b") + all.string("c"), "113");
  EXPECT_EQ(parsed.node["quoted"].string("<<"), "text");
}

TEST(Parse, ADuplicateKeyKeepsTheFirst) {
  const Parsed parsed = read("a: 1\na: 2\n");
  EXPECT_EQ(parsed.problems.text(), "f.yaml:2:1: key 'a' is already set on line 1\n");
  EXPECT_EQ(parsed.node.string("a"), "1");
}

TEST(Problems, AreSortedOnceEachAndBounded) {
  Problems problems;
  const Mark at{std::make_shared<const std::string>("f"), 2, 1};
  problems.add(at, "b");
  problems.add({at.file, 10, 1}, "c");
  problems.add(at, "b");
  problems.add({at.file, 0, 0}, "a");
  EXPECT_EQ(problems.text(), "f: a\nf:2:1: b\nf:10:1: c\n");
  for (std::size_t i = 0; i < Problems::kMax; ++i) problems.add(at, "more");
  EXPECT_EQ(problems.sorted().size(), 4u);
  EXPECT_THAT(problems.text(), HasSubstr("and 4 more problems\n"));
}

}  // namespace
}  // namespace tidegate::config
