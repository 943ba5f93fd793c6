#include <gmock/gmock.h>

#include "gateway/config/load.h"
#include "tests/gateway/config/sample_shape.h"

namespace tidegate::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Node checked(std::string_view yaml, const Shape& shape = sample_shape()) {
  Problems problems;
  Node node = parse(yaml, "f.yaml", {}, {}, problems);
  check(node, shape, problems);
  EXPECT_EQ(problems.text(), "") << yaml;
  return node;
}

std::string problem(std::string_view yaml, const Shape& shape) {
  Problems problems;
  Node node = parse(yaml, "f", {}, {}, problems);
  check(node, shape, problems);
  return problems.text();
}

TEST(Check, GivesValuesAsTheirTypes) {
  const Node node = checked(
      "gateway: {name: p}\n"
      "storage: {max_size: 64MiB, retention: 1d12h}\n"
      "sources: [{name: h, type: host, every: 250ms, enabled: false}]\n"
      "rules: [{name: r, above: 90 °C, factor: 2.5}]\n");
  EXPECT_EQ(node["storage"].bytes("max_size"), 64u << 20);
  EXPECT_EQ(node["storage"].duration("retention"), std::chrono::hours(36));
  EXPECT_EQ(node["sources"].items[0].duration("every"), milliseconds(250));
  EXPECT_FALSE(node["sources"].items[0].boolean("enabled"));
  EXPECT_EQ(node["rules"].items[0].number("factor"), 2.5);
  EXPECT_EQ(node["rules"].items[0].string("above"), "90 °C");
}

TEST(Check, FillsInEveryDefaultAndSaysSo) {
  const Node node =
      checked("gateway: {name: p}\nsources: [{name: m, type: mqtt, broker: b, subscriptions: [{topic: t}]}]\n");
  const Node& source = node["sources"].items[0];
  EXPECT_TRUE(source.boolean("enabled"));
  EXPECT_TRUE(source["enabled"].is_default);
  EXPECT_FALSE(source["name"].is_default);
  EXPECT_EQ(source.integer("qos"), 1);
  EXPECT_TRUE(source.find("password"));
  EXPECT_FALSE(source.has("password"));
  EXPECT_EQ(source["subscriptions"].items[0]["payload"].string("format"), "number");
  EXPECT_TRUE(node["rules"].is_default);
}

TEST(Check, ADefaultStandsAtTheSectionThatLacksIt) {
  const Node node = checked("gateway: {name: p}\nsources:\n  - {name: h, type: host}\n");
  EXPECT_EQ(text(node["sources"].items[0]["every"].at), "f.yaml:3:5");
}

TEST(Check, EqualMeaningHasEqualCanonicalText) {
  const Node plain = checked("gateway: {name: p, site: s}\nrules: []\n");
  const Node other = checked("# moved\nrules:\ngateway:\n  site: s\n  name: p\nstorage: {retention: 30d}\n");
  EXPECT_EQ(plain.canonical(), other.canonical());
  EXPECT_NE(plain.canonical(), checked("gateway: {name: p, site: t}").canonical());
}

TEST(Check, WrittenTextIsWithoutWhatWasFilledIn) {
  config::Problems problems;
  const std::string yaml = "gateway: {name: p}\nsources:\n  - {name: h, type: host}\n";
  const Node raw = parse(yaml, "f.yaml", ".", References::system(), problems);
  EXPECT_EQ(checked(yaml).written(), raw.written());
  EXPECT_NE(checked(yaml).canonical(), raw.canonical());
}

TEST(Check, CanonicalTextKeepsStructureApart) {
  std::vector<std::string> seen;
  for (const char* yaml : {"[a, b]", "['a,b']", "[[a], b]", "[[a, b]]", "{a: b}", "{'a:b': ~}", "{a: ~}", "{a: '~'}",
                           "[]", "{}", "~", "''"}) {
    seen.push_back(checked(yaml, Shape::any()).canonical());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST(Check, OfSeveralScalarShapesTheFirstThatFitsIsTaken) {
  const Shape shape = Shape::either(
      {Shape::integer(0, 9), Shape::duration(seconds(1), seconds(60)), Shape::list(Shape::integer(0, 9))});
  EXPECT_EQ(checked("5", shape).integer(), 5);
  EXPECT_EQ(checked("5s", shape).duration(), seconds(5));
  EXPECT_EQ(checked("[1, 2]", shape).items.size(), 2u);
  EXPECT_EQ(problem("10", shape), "f:1:1: this must be a whole number between 0 and 9, not '10'\n");
}

TEST(Check, StringsGivesAListsTexts) {
  EXPECT_EQ(checked("[a, 'b c', 3]", Shape::list(Shape::text())).strings(),
            (std::vector<std::string>{"a", "b c", "3"}));
}

TEST(Check, AChoiceMayBeAWordThatATextMayNot) {
  EXPECT_EQ(checked("off", Shape::choice({"auto", "off"})).string(), "off");
}

TEST(Check, LimitsOnOneSideAreToldSo) {
  const auto none = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(problem("-1", Shape::integer(0, none)), "f:1:1: this must be a whole number of at least 0, not '-1'\n");
  EXPECT_EQ(problem("2", Shape::integer(std::numeric_limits<std::int64_t>::min(), 1)),
            "f:1:1: this must be a whole number of at most 1, not '2'\n");
  EXPECT_EQ(problem("x", Shape::number(std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max())),
            "f:1:1: this must be a number, not 'x'\n");
}

TEST(Check, WhatAMessageRepeatsIsPrintableAndShort) {
  const std::string text = problem("\"\\e[31m" + std::string(5000, 'x') + "\"", Shape::integer(0, 1));
  EXPECT_LT(text.size(), 300u);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tidegate::config
