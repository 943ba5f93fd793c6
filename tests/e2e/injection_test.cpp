// Names and texts of devices that would be more than text somewhere: through the whole gateway, into all that it says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "gateway/core/text.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

const std::string kImage = "<img src=x onerror=alert(1)>";
const std::string kBreaks = "a\r\nevent: alert\rdata: x\nid: 1";
const std::string kNul("a\0b", 3);
constexpr int kUsage = 64;

/// What no line of text may have in it: whoever reads it would act on it.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7F;
  });
}
std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) all.emplace_back(line);
  }
  return all;
}

constexpr const char* kConfiguration = R"(sources:
  - {name: pushed, type: push}
  - {name: field, type: mqtt, broker: "%FIELD%", subscriptions: [{topic: "plant/{device}/{metric}", payload: {format: number}}]}
rules:
  - {name: hot, series: "{device}/temp", threshold: {above: 90}, severity: critical, message: "{device} is hot"}
  - {name: odd, series: "{device}/mode", threshold: {equals: run}, message: "{device} runs"}
uplinks:
  - {name: cloud, type: mqtt, broker: "%CLOUD%", topic: site}
)";

class Injection : public testing::Test {
 protected:
  void SetUp() override {
    gateway.start();
    ASSERT_TRUE(eventually([&] { return get_json(gateway, "/api/v1/sources")["sources"].size() == 2; }));
    push_until_taken({{"series", "start/up"}, {"value", 1}});
    arrived = cloud.subscribe("site/#", {"-F", "%t %p"});
  }
  json push(const json& sample) {
    return json::parse(gateway.http().post("/api/v1/samples", json{{"samples", {sample}}}.dump()).body);
  }
  void push_until_taken(const json& sample) {
    ASSERT_TRUE(eventually([&] { return push(sample).value("samples", 0) == 1; })) << push(sample);
  }
  std::string cli(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    const auto done = tidegate(std::move(arguments));
    EXPECT_NE(done.status, kUsage) << done.output;
    return done.output;
  }
  static std::string configuration(const std::string& field, const std::string& cloud) {
    std::string text = kConfiguration;
    text.replace(text.find("%FIELD%"), 7, field);
    return text.replace(text.find("%CLOUD%"), 7, cloud);
  }

  test::Broker field, cloud;
  test::GatewayProcess gateway{kProgram, configuration(field.url(), cloud.url())};
  std::unique_ptr<test::Process> arrived;
};

TEST_F(Injection, WhatNoNameMayBeIsRefusedInOneLine) {
  for (const std::string& evil :
       {kBreaks + "/temp", kNul + "/temp", std::string("a\x1b[2J/temp"), std::string("a\x7f/temp")}) {
    const json answer = push({{"series", evil}, {"value", 1}});
    EXPECT_EQ(answer.value("refused", 0), 1) << answer;
    EXPECT_FALSE(has_control(answer["detail"].get<std::string>())) << answer;
    const auto asked = gateway.http().get("/api/v1/history?series=a%0d%0aX-Evil:%201/temp");
    EXPECT_EQ(asked.status, 404);
    EXPECT_FALSE(asked.headers.contains("x-evil"));
  }
  EXPECT_EQ(get_json(gateway, "/api/v1/series")["series"].size(), 1u);
  for (const std::string& line : lines(gateway.process().output())) EXPECT_FALSE(has_control(line)) << line;
  const json letters = get_json(gateway, "/api/v1/dead-letters")["dead_letters"];
  EXPECT_EQ(letters.size(), 4u);
  for (const json& letter : letters) EXPECT_FALSE(has_control(letter["reason"].get<std::string>())) << letter;
}

TEST_F(Injection, ANameOrTextIsTextInEveryOutput) {
  auto viewer = gateway.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  const std::string hot = kImage + "/temp", formula = "=HYPERLINK(\"http:x\")/temp", unit = "V\r\nX-Evil: 1",
                    state = kBreaks;
  EXPECT_EQ(push({{"series", hot}, {"value", 95}}).value("samples", 0), 1);
  EXPECT_EQ(push({{"series", formula}, {"value", 95}}).value("samples", 0), 1);
  push({{"series", "unit/temp"}, {"value", 95}, {"unit", unit}});
  push({{"series", kImage + "/mode"}, {"value", state}});
  push({{"series", kImage + "/mode"}, {"value", "run"}});
  field.publish("plant/" + kImage + "2/temp", "95");
  field.publish("plant/x/temp", kBreaks);
  ASSERT_TRUE(eventually([&] { return get_json(gateway, "/api/v1/alerts")["alerts"].size() >= 4; }))
      << gateway.get("/api/v1/alerts");

  // The API: JSON that reads back, with no raw control character in it.
  for (const char* path : {"/api/v1/series", "/api/v1/alerts", "/api/v1/alerts/log", "/api/v1/dead-letters",
                           "/api/v1/state", "/api/v1/series/counts", "/api/v1/audit"}) {
    const auto answer = gateway.http().get(path);
    EXPECT_TRUE(json::accept(answer.body)) << path;
    EXPECT_FALSE(has_control(answer.body)) << path;
    EXPECT_EQ(answer.headers.at("content-type"), "application/json") << path;
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << path;
  }
  // The stream: all that is said is in its lines.
  const auto alert = viewer.wait_for("alert");
  ASSERT_TRUE(alert);
  test::RawConnection raw(gateway.data() / "tidegate.sock");
  raw.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string stream;
  while (stream.find("event: snapshot") == std::string::npos || !stream.ends_with("\n\n")) {
    if (!raw.receive(stream, 5s)) break;
  }
  stream.erase(0, stream.find("\r\n\r\n") + 4);
  for (const std::string& line : lines(stream)) {
    EXPECT_TRUE(std::regex_search(line, std::regex("^(event|data|id|retry|): "))) << line;
    EXPECT_FALSE(has_control(line)) << line;
  }
  EXPECT_EQ(std::count_if(stream.begin(), stream.end(), [](char c) { return c == '\r'; }), 0);
  // CSV: as many lines as points, and no formula.
  const auto csv = gateway.http().get("/api/v1/history?format=csv&points=1&series=%3DHYPERLINK(%22http:x%22)/temp");
  ASSERT_EQ(csv.status, 200) << csv.body;
  EXPECT_EQ(lines(csv.body).size(), 2u);
  EXPECT_THAT(csv.body, HasSubstr("\n\"'=HYPERLINK(\"\"http:x\"\")/temp\","));
  EXPECT_THAT(lines(cli({"export", "#", "--format", "csv"})), Each(Not(testing::StartsWith("="))));
  // Prometheus' text: every line is a comment or a sample.
  const std::regex sample(R"(^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]+="([^"\\]|\\.)*",?)*\})? [^ ]+)$)");
  const std::string metrics = gateway.get("/metrics");
  EXPECT_FALSE(has_control(metrics));
  for (const std::string& line : lines(metrics)) EXPECT_TRUE(std::regex_match(line, sample)) << line;
  // The commands, and the log.
  for (const auto& command : std::vector<std::vector<std::string>>{{"alerts"},
                                                                   {"alerts", "--json"},
                                                                   {"alerts", "report", "--by", "alert"},
                                                                   {"status"},
                                                                   {"tap", "#", "--count", "1", "--for", "3s"},
                                                                   {"query", "#"},
                                                                   {"query", "#", "--format", "csv"},
                                                                   {"sql", "SELECT * FROM series"},
                                                                   {"top", "--once"},
                                                                   {"ack", "hot:" + kImage},
                                                                   {"comment", "hot:" + kImage, kBreaks},
                                                                   {"audit"}}) {
    std::string said = cli(command);
    std::erase(said, '\r');  // CSV ends its lines so
    EXPECT_FALSE(has_control(said)) << command[0] << ": " << said;
  }
  const std::string log = gateway.process().output();
  EXPECT_FALSE(has_control(log));
  EXPECT_THAT(lines(log), Each(Not(testing::StartsWith("event: alert"))));
  // Upstream: topics of the configuration, payloads that read back.
  ASSERT_TRUE(eventually([&] { return arrived->output().find("onerror") != std::string::npos; }));
  for (const std::string& line : lines(arrived->output())) {
    EXPECT_FALSE(has_control(line)) << line;
    if (!line.starts_with("site/")) continue;  // what the client says of itself
    EXPECT_TRUE(json::accept(line.substr(line.find(' ') + 1))) << line;
  }
}

}  // namespace
}  // namespace tidegate::e2e
