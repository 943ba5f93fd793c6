#include "drivers/push/receiver.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/core/clock.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::push {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kNow{std::chrono::seconds(1'772'366'400)};  // 2026-03-01T12:00:00Z

class PushReceiver : public testing::Test {
 protected:
  void configure(const std::string& more) {
    config::Problems problems;
    const auto section = test::source_section("{name: pushed, type: push" + more + "}", problems);
    ASSERT_EQ(problems.text(), "");
    options = read_options(section, problems);
    ASSERT_EQ(problems.text(), "");
    receiver.emplace(options, "pushed", sink);
  }
  void SetUp() override { configure(""); }

  Result<Pushed> lines(std::string_view body, std::chrono::nanoseconds unit = 1ns) {
    return receiver->take({body, Push::Format::lines, unit, "telegraf"}, now);
  }
  Result<Pushed> json(std::string_view body) { return receiver->take({body, Push::Format::json, 1ns, "script"}, now); }
  /// Why the first was refused; empty where nothing was.
  static std::string told(const Result<Pushed>& pushed) {
    if (!pushed) return "error: " + pushed.error().text;
    return pushed->told.empty() ? "" : fmt::format("{}: {}", pushed->told[0].at, pushed->told[0].reason);
  }

  fakes::FakeSink sink;
  Timestamp now = kNow;
  Options options;
  std::optional<Receiver> receiver;
};

TEST_F(PushReceiver, EachFieldIsASeriesNamedByMeasurementTagsAndField) {
  const auto pushed = lines(
      "cpu,host=box1,cpu=cpu0 usage_idle=98.5,online=t,mode=\"save\" 1772366399000000000\n"
      "boiler1 temperature=93.5 1772366399250000000\n");
  EXPECT_EQ(told(pushed), "");
  EXPECT_EQ(pushed->samples, 4u);
  EXPECT_THAT(sink.names(), ElementsAre("cpu/cpu=cpu0/host=box1/usage_idle", "cpu/cpu=cpu0/host=box1/online",
                                        "cpu/cpu=cpu0/host=box1/mode", "boiler1/temperature"));
  EXPECT_EQ(sink.last("cpu/cpu=cpu0/host=box1/usage_idle")->value, 98.5);
  EXPECT_EQ(sink.info("cpu/cpu=cpu0/host=box1/online")->kind, SeriesKind::boolean);
  EXPECT_EQ(sink.last_label("cpu/cpu=cpu0/host=box1/mode"), "save");
  EXPECT_EQ(sink.info("boiler1/temperature")->source, "pushed");
  EXPECT_EQ(sink.last("boiler1/temperature")->time, kNow - 750ms);
  EXPECT_EQ(sink.last("boiler1/temperature")->quality, Quality::good);
}

TEST_F(PushReceiver, TheNameIsATemplateAndOtherTagsAreLabels) {
  configure(", series: \"{host}/{measurement}/{field}\", units: {\"+/mem/#\": \"%\"}, counters: [\"+/+/bytes\"]");
  EXPECT_EQ(told(lines("mem,host=box1,rack=7,dc=north used=40,bytes=7i")), "");
  EXPECT_THAT(sink.names(), ElementsAre("box1/mem/used", "box1/mem/bytes"));
  EXPECT_EQ(sink.info("box1/mem/used")->labels, (Labels{{"dc", "north"}, {"rack", "7"}}));
  EXPECT_EQ(sink.info("box1/mem/used")->unit, "%");
  EXPECT_EQ(sink.info("box1/mem/bytes")->kind, SeriesKind::counter);
  EXPECT_EQ(told(lines("mem used=1")), "1: there is no tag 'host', which the source's `series` names");
  configure(", series: \"{host}/{measurement}/{tags}/{field}\", ignore: [\"box1/mem/#\"]");
  EXPECT_EQ(told(lines("mem,host=box1 used=1\ndisk,host=box1,path=/,fs=ext4 used=2")), "");
  EXPECT_EQ(sink.last("box1/disk/fs=ext4/path=%2F/used")->value, 2);
  EXPECT_EQ(sink.samples("box1/mem/used").size(), 1u) << "the one from before";
}

TEST_F(PushReceiver, WhatMayNotStandInANameIsWrittenAsInAUrl) {
  EXPECT_EQ(told(lines("a#b,path=/var/log,x={1} c+d=1")), "");
  EXPECT_THAT(sink.names(), ElementsAre("a%23b/path=%2Fvar%2Flog/x=%7B1%7D/c%2Bd"));
  EXPECT_THAT(told(lines("m,t=" + std::string(250, 'x') + " f=1")), HasSubstr("cannot be a series"));
}

TEST_F(PushReceiver, TimesCountByTheirPrecisionAndAreBelievedWhereTheyAreSane) {
  EXPECT_EQ(told(lines("m f=1 1772366399", 1s)), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow - 1s);
  EXPECT_EQ(told(lines("m f=1 1772366399001", 1ms)), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow - 999ms);
  EXPECT_EQ(told(lines("m f=1 1772366399000001", 1us)), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow - 999'999us);
  EXPECT_EQ(told(lines("m f=1 1772366399000001999")), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow - 999'999us) << "rounded down";
  EXPECT_EQ(told(lines("m f=1 1772366640", 1s)), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow + 4min);
  EXPECT_EQ(told(lines("m f=1")), "");
  EXPECT_EQ(sink.last("m/f")->time, kNow);
  EXPECT_EQ(sink.last("m/f")->quality, Quality::good);
  for (const char* wrong : {"m f=1 1772366701", "m f=1 5", "m f=1 9223372036854775807", "m f=1 -1"}) {
    EXPECT_EQ(told(lines(wrong, 1s)), "");
    EXPECT_EQ(sink.last("m/f")->time, kNow) << wrong;
    EXPECT_EQ(sink.last("m/f")->quality, Quality::uncertain) << wrong;
    EXPECT_EQ(sink.last("m/f")->reason, Reason::clock) << wrong;
  }
}

TEST_F(PushReceiver, GoodLinesAreTakenBadOnesAreToldAndKept) {
  std::string body = "m f=1\nnonsense\nm g=2\n";
  for (int i = 0; i < 20; ++i) body += "worse\n";
  const auto pushed = lines(body);
  EXPECT_EQ(pushed->samples, 2u);
  EXPECT_EQ(pushed->refused, 21u);
  EXPECT_EQ(pushed->told.size(), Pushed::kMostTold);
  EXPECT_THAT(told(pushed), HasSubstr("2: column 9: there are no fields"));
  ASSERT_EQ(sink.rejected().size(), 21u);
  EXPECT_EQ(sink.rejected()[0].topic, "telegraf");
  EXPECT_EQ(sink.rejected()[0].payload, "nonsense");
}

TEST_F(PushReceiver, AValueOfAnotherTypeIsBadAndTold) {
  EXPECT_EQ(told(lines("m f=1")), "");
  EXPECT_EQ(told(lines("m f=\"20.5\"")), "") << "a number in quotes is read";
  EXPECT_EQ(sink.last("m/f")->value, 20.5);
  EXPECT_EQ(told(lines("m f=\"unavailable\",g=1")), "1: 'unavailable' is no number");
  EXPECT_EQ(sink.last("m/f")->quality, Quality::bad);
  EXPECT_EQ(sink.last("m/f")->reason, Reason::wrong_type);
  EXPECT_EQ(sink.last("m/g")->value, 1) << "what else stands in the line is taken";
  EXPECT_EQ(told(lines("m f=1e400")), "");
  EXPECT_EQ(sink.last("m/f")->reason, Reason::not_a_number);
}

TEST_F(PushReceiver, TwoTagSetsOfOneNameNeverMixInSilence) {
  configure(", series: \"{measurement}/{field}\"");
  const std::string why =
      "'t/f' comes with other tags at the same time: have the source's `series` name the tags that "
      "tell them apart";
  EXPECT_EQ(told(lines("t,host=a f=1\nt,host=b f=2\n")), "2: " + why) << "in one request";
  EXPECT_EQ(sink.samples("t/f").size(), 1u);
  EXPECT_EQ(told(lines("t,host=b f=3")), "1: " + why);
  EXPECT_EQ(told(lines("t,host=a f=4")), "");
  now += 11min;  // a has left
  EXPECT_EQ(told(lines("t,host=b f=5")), "");
  EXPECT_EQ(sink.info("t/f")->labels, (Labels{{"host", "b"}}));
  EXPECT_EQ(told(lines("t,host=a f=6")), "1: " + why);
  for (const char* who : {"a", "c", "a", "d", "a"})
    EXPECT_EQ(told(lines(fmt::format("t,host={} f=7", who))), "1: " + why);
}

TEST_F(PushReceiver, ATagThatChangesOnceLosesNothing) {
  configure(", series: \"{host}/{field}\"");
  EXPECT_EQ(told(lines("t,host=a,version=1 f=1")), "");
  EXPECT_EQ(told(lines("t,host=a,version=2 f=2")), "");
  EXPECT_EQ(told(lines("t,host=a,version=2 f=3")), "");
  EXPECT_EQ(sink.samples("a/f").size(), 3u);
  EXPECT_EQ(sink.info("a/f")->labels, (Labels{{"version", "2"}}));
}

TEST_F(PushReceiver, JsonNamesItsSeries) {
  const auto pushed = json(R"({"samples": [
    {"series": "boiler1/temperature", "value": 93.5, "time": 1772366399000000, "unit": "°C"},
    {"series": "boiler1/burner", "value": true, "time": "2026-03-01T12:59:59.5+01:00"},
    {"series": "boiler1/mode", "value": "heating"},
    {"series": "boiler1/pressure", "value": 2, "quality": "uncertain"}]})");
  EXPECT_EQ(told(pushed), "");
  EXPECT_EQ(pushed->samples, 4u);
  EXPECT_EQ(sink.info("boiler1/temperature")->unit, "°C");
  EXPECT_EQ(sink.last("boiler1/temperature")->time, kNow - 1s);
  EXPECT_EQ(sink.last("boiler1/burner")->time, kNow - 500ms);
  EXPECT_EQ(sink.info("boiler1/burner")->kind, SeriesKind::boolean);
  EXPECT_EQ(sink.last_label("boiler1/mode"), "heating");
  EXPECT_EQ(sink.last("boiler1/pressure")->quality, Quality::uncertain);
  EXPECT_EQ(
      told(json(
          R"([{"series": "boiler1/temperature", "value": null}, {"series": "boiler1/pressure", "quality": "bad"}])")),
      "");
  for (const char* name : {"boiler1/temperature", "boiler1/pressure"}) {
    EXPECT_EQ(sink.last(name)->quality, Quality::bad);
    EXPECT_EQ(sink.last(name)->reason, Reason::device_fault);
    EXPECT_EQ(sink.last(name)->value, 0);
  }
  EXPECT_EQ(sink.info("boiler1/temperature")->unit, "°C") << "what is not sent stays";
}

TEST_F(PushReceiver, JsonThatIsWrongIsToldItemByItem) {
  const auto wrong = [&](const char* item) { return told(json(fmt::format("[{}]", item))); };
  EXPECT_EQ(wrong("7"), "1: a sample must be a JSON object");
  EXPECT_EQ(wrong(R"({"value": 1})"), "1: \"series\" must name the series");
  EXPECT_EQ(wrong(R"({"series": "a"})"), "1: \"value\" is missing");
  EXPECT_EQ(wrong(R"({"series": "a", "value": [1]})"), "1: \"value\" must be a number, true or false, a text or null");
  EXPECT_THAT(wrong(R"({"series": "a", "vlaue": 1})"), HasSubstr("did you mean 'value'?"));
  EXPECT_THAT(wrong(R"({"series": "a", "value": 1, "time": 1.5})"), HasSubstr("microseconds since 1970"));
  EXPECT_THAT(wrong(R"({"series": "a", "value": 1, "time": "noon"})"), HasSubstr("2026-03-01T12:00:00.250Z"));
  EXPECT_THAT(wrong(R"({"series": "a", "value": 1, "quality": "poor"})"), HasSubstr("uncertain"));
  EXPECT_THAT(wrong(R"({"series": "a/#", "value": 1})"), HasSubstr("cannot be a series"));
  EXPECT_THAT(wrong(R"({"series": "new", "value": null})"), HasSubstr("send a value first"));
  EXPECT_THAT(sink.samples(), IsEmpty());
  EXPECT_EQ(sink.rejected().front().payload, "7");
  const auto good = json(R"([{"series": "a", "value": 1}, {}, {"series": "b", "value": 2}])");
  EXPECT_EQ(good->samples, 2u);
  EXPECT_THAT(told(good), HasSubstr("2: "));
  for (const char* whole : {"", "7", "{", "[", R"({"sample": []})", "[NaN]", R"({"samples": 7})", "{}"}) {
    EXPECT_EQ(json(whole).error().code, Errc::invalid) << whole;
  }
  EXPECT_EQ(json("[]")->samples, 0u);
}

TEST_F(PushReceiver, JsonIsOfABoundedDepthHoweverLargeABodyWasBefore) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_THAT(json(nested(33)).error().text, HasSubstr("not valid JSON"));
  EXPECT_THAT(told(json(nested(30))), HasSubstr("a sample must be a JSON object"));
  EXPECT_THAT(json(nested(100'000)).error().text, HasSubstr("not valid JSON"));
  EXPECT_THAT(json(nested(33)).error().text, HasSubstr("not valid JSON"));
}

TEST_F(PushReceiver, TooManyAtOnceAreTakenNotAtAll) {
  std::string body;
  for (std::size_t i = 0; i <= Push::kMostSamples; ++i) body += "m f=1\n";
  const auto pushed = lines(body);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, Errc::full);
  EXPECT_THAT(sink.samples(), IsEmpty());
  EXPECT_EQ(lines(body.substr(6))->samples, Push::kMostSamples);
}

TEST_F(PushReceiver, ASeriesTooManyIsToldEachTime) {
  sink.limit_series(1);
  EXPECT_EQ(told(lines("m a=1,b=2")), "1: the source has its 1 series already");
  EXPECT_EQ(told(lines("m a=1,b=2")), "1: the source has its 1 series already");
  sink.limit_series(2);
  EXPECT_EQ(told(lines("m a=1,b=2")), "");
}

}  // namespace
}  // namespace tidegate::drivers::push
