#include "drivers/coap/coap.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/drivers/coap/server.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class CoapDriver : public testing::Test {
 protected:
  void start(const std::string& options, int port = 0) {
    std::string why;
    driver_ = test::make_driver(fmt::format("{{name: box, type: coap, host: 127.0.0.1, port: {}, {}}}",
                                            port == 0 ? server_.port() : port, options),
                                clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && last->value == value;
    });
  }
  bool turns_bad(const std::string& name, Reason why) { return sink_.wait_for_bad(name, why); }
  bool says(const std::string& text) { return sink_.wait_for_words(text); }
  std::string told() const { return sink_.reports().empty() ? "" : sink_.reports().back().text; }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  test::CoapServer server_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

TEST_F(CoapDriver, PollsTextAndJson) {
  server_.put("level", "42.5");
  server_.put("climate", R"({"t":21.5,"state":"warm"})", "50");
  start(
      "every: 500ms, resources: [{path: /level, observe: false, points: [{name: level, unit: '%'}]}, {path: /climate, "
      "observe: false, points: [{name: t, pointer: /t, scale: 2}, {name: state, pointer: /state}]}]");
  ASSERT_TRUE(reaches("box/level", 42.5)) << told();
  ASSERT_TRUE(reaches("box/t", 43)) << told();
  EXPECT_EQ(sink_.last_label("box/state"), "warm");
  EXPECT_EQ(sink_.info("box/level")->unit, "%");
  ASSERT_TRUE(sink_.wait_for_samples("box/level", 3));
  server_.put("level", "43");
  ASSERT_TRUE(reaches("box/level", 43));
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up) << told();
}

/// Three blocks of 1,024 bytes, and what is asked for stands in the last.
std::string large_json(double value, std::size_t bytes = 2900) {
  return fmt::format(R"({{"pad":"{}","t":{}}})", std::string(bytes, 'x'), value);
}

TEST_F(CoapDriver, PutsAnAnswerInBlocksTogether) {
  server_.put("large", large_json(21.5), "50");
  server_.put("seen", large_json(3), "50");
  start(
      "every: 1h, resources: [{path: /large, observe: false, points: [{name: t, pointer: /t}]}, {path: /seen, points: "
      "[{name: seen, pointer: /t}]}]");
  ASSERT_TRUE(reaches("box/t", 21.5)) << told();
  ASSERT_TRUE(reaches("box/seen", 3)) << told();
  server_.put("seen", large_json(4), "50");
  ASSERT_TRUE(reaches("box/seen", 4)) << told();
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up) << told();
}

TEST_F(CoapDriver, RefusesAnAnswerThatIsTooLarge) {
  server_.put("large", large_json(21.5, 5000), "50");
  start("every: 500ms, resources: [{path: /large, points: [{name: t, kind: number, pointer: /t}]}]");
  ASSERT_TRUE(turns_bad("box/t", Reason::device_fault)) << told();
  EXPECT_TRUE(says("box/t: the answer has more than 4096 bytes")) << told();
}

TEST_F(CoapDriver, GoesByTheContentFormat) {
  server_.put("cbor", "%A1%61t%F9%4D%60", "60");  // {"t": 21.5}
  server_.put("senml", R"([{"bn":"urn:dev:ow:10e2:","n":"temp","u":"Cel","v":23.1},{"n":"rh","v":48}])", "110");
  server_.put("text", "{}", "0");
  start(
      "every: 500ms, resources: [{path: /cbor, observe: false, points: [{name: cbor, pointer: /t}]}, {path: /senml, "
      "observe: false, points: [{name: temp, pointer: /0/v}, {name: rh, pointer: /1/v}]}, {path: /text, observe: "
      "false, points: [{name: text}]}]");
  ASSERT_TRUE(reaches("box/cbor", 21.5)) << told();
  ASSERT_TRUE(reaches("box/temp", 23.1)) << told();
  ASSERT_TRUE(reaches("box/rh", 48)) << told();
  ASSERT_TRUE(sink_.wait_until([](const auto& sink) { return sink.last_label("box/text") == "{}"; })) << told();
}

TEST_F(CoapDriver, ObservesChangesLongBeforeTheNextPoll) {
  server_.put("level", "1");
  start("every: 1h, resources: [{path: /level, points: [{name: level}]}]");
  ASSERT_TRUE(reaches("box/level", 1)) << told();
  for (const int value : {2, 3, 4}) {
    server_.put("level", std::to_string(value));
    ASSERT_TRUE(reaches("box/level", value)) << told();
  }
  EXPECT_EQ(sink_.samples("box/level").size(), 4u);
}

TEST_F(CoapDriver, WhatIsNotThereOrNotAValueIsSaid) {
  server_.put("level", "1");
  server_.put("word", "{", "50");
  start(
      "every: 500ms, resources: [{path: /nothing, points: [{name: a, kind: number}]}, {path: /level, points: [{name: "
      "b}]}, {path: /word, points: [{name: c, kind: number, pointer: /x}]}]");
  ASSERT_TRUE(reaches("box/b", 1)) << told();
  ASSERT_TRUE(turns_bad("box/a", Reason::device_fault));
  ASSERT_TRUE(turns_bad("box/c", Reason::device_fault));
  EXPECT_TRUE(says("box/a: the server answers 4.04")) << told();
  EXPECT_TRUE(says("box/c: the answer is no JSON")) << told();
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::degraded);
}

TEST_F(CoapDriver, AServerThatIsKilledIsDownAndObservedAgainWhenItIsBack) {
  server_.put("level", "1");
  start("every: 500ms, timeout: 1s, resources: [{path: /level, points: [{name: level, kind: number}]}]");
  ASSERT_TRUE(reaches("box/level", 1)) << told();
  server_.kill();
  ASSERT_TRUE(turns_bad("box/level", Reason::no_answer));
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  server_.start();
  server_.put("level", "7");
  ASSERT_TRUE(reaches("box/level", 7)) << told();
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up)) << told();
}

TEST_F(CoapDriver, AServerThatHangsIsToldAndDelaysNoStop) {
  server_.put("level", "1");
  start("every: 500ms, timeout: 1s, resources: [{path: /level, points: [{name: level, kind: number}]}]");
  ASSERT_TRUE(reaches("box/level", 1)) << told();
  server_.pause();
  ASSERT_TRUE(turns_bad("box/level", Reason::no_answer));
  EXPECT_THAT(told(), HasSubstr("does not answer"));
  const auto begun = std::chrono::steady_clock::now();
  thread_.request_stop();
  thread_.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  server_.go_on();
}

TEST_F(CoapDriver, SpeaksDtlsWithAKey) {
  server_.put("level", "5");
  start(
      "secure: true, identity: box, key: the secret, every: 500ms, resources: [{path: /level, points: [{name: "
      "level}]}]",
      server_.port() + 1);
  ASSERT_TRUE(reaches("box/level", 5)) << told();
  server_.put("level", "6");
  ASSERT_TRUE(reaches("box/level", 6)) << told();
}

TEST_F(CoapDriver, AWrongKeyIsAskedFor) {
  start(
      "secure: true, identity: box, key: another, every: 500ms, timeout: 2s, resources: [{path: /level, points: "
      "[{name: level, kind: number}]}]",
      server_.port() + 1);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_TRUE(says("are identity and key right?")) << told();
}

TEST_F(CoapDriver, PrintsNothing) {
  testing::internal::CaptureStderr();
  start(
      "secure: true, identity: box, key: another, every: 500ms, timeout: 1s, resources: [{path: /level, points: "
      "[{name: level}]}]",
      server_.port() + 1);
  const bool down = sink_.wait_for_health(SourceHealth::down);
  thread_.request_stop();
  thread_.join();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(down);
}

TEST(CoapOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  const std::string fine = "resources: [{path: /a, points: [{name: a}]}]";
  for (const auto& [options, expected] : std::vector<std::pair<std::string, std::string>>{
           {"resources: []", "nothing is read"},
           {"resources: [{path: a, points: [{name: a}]}]", "begins with /"},
           {"resources: [{path: /a, points: [{name: a, pointer: t}]}]", "JSON pointer"},
           {"secure: true, " + fine, "needs identity"},
           {"key: x, " + fine, "secure: true"},
           {"timeout: 2h, " + fine, "timeout"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, type: coap, host: h, " + options + "}", clock, metrics, why), nullptr)
        << options;
    EXPECT_THAT(why, HasSubstr("test.yaml:1:"));
    if (expected != "timeout") {
      EXPECT_THAT(why, HasSubstr(expected));
    }
  }
  for (const auto& [host, is_one] : std::vector<std::pair<std::string, bool>>{
           {"coap://127.0.0.1", false}, {"box:5683", false}, {"box/a", false}, {"box", true}, {"fd00::5", true}}) {
    std::string why;
    const std::string section = "{name: box, type: coap, host: '" + host + "', " + fine + "}";
    EXPECT_EQ(test::make_driver(section, clock, metrics, why) != nullptr, is_one) << host << ": " << why;
    EXPECT_THAT(why, HasSubstr(is_one ? "" : "a name or an address alone")) << host;
  }
}

}  // namespace
}  // namespace tidegate::drivers
