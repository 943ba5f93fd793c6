#include "drivers/push/remote_write.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "drivers/push/receiver.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::push {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Timestamp kNow{std::chrono::seconds(1'772'366'400)};  // 2026-03-01T12:00:00Z
constexpr std::int64_t kMillis = 1'772'366'399'000;

// As protocol buffers are written.

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string field(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string label(const std::string& name, const std::string& value) {
  return field(1, field(1, name) + field(2, value));
}
std::string point(double value, std::int64_t millis = kMillis) {
  std::string number;
  for (auto bits = std::bit_cast<std::uint64_t>(value); number.size() < 8; bits >>= 8)
    number += static_cast<char>(bits);
  return field(2, '\x09' + number + '\x10' + varint(static_cast<std::uint64_t>(millis)));
}
std::string series(const std::string& parts) { return field(1, parts); }

class RemoteWrite : public testing::Test {
 protected:
  void configure(const std::string& more) {
    config::Problems problems;
    const auto section = test::source_section("{name: pushed, type: push" + more + "}", problems);
    options_ = read_options(section, problems);
    ASSERT_EQ(problems.text(), "");
    receiver_.emplace(options_, "pushed", sink_);
  }
  void SetUp() override { configure(""); }
  Result<Pushed> take(const std::string& body, Push::Format format = Push::Format::prometheus) {
    return receiver_->take({body, format, std::chrono::nanoseconds(1), "prometheus"}, kNow);
  }
  fakes::FakeSink sink_;
  Options options_;
  std::optional<Receiver> receiver_;
};

TEST_F(RemoteWrite, NamesItsSeriesByMetricAndLabels) {
  const auto pushed = take(series(label("__name__", "http_requests_total") + label("path", "/a") + label("job", "api") +
                                  point(17) + point(18, kMillis + 500)) +
                           series(label("__name__", "temp_celsius") + label("room", "") + point(21.5)));
  ASSERT_TRUE(pushed) << pushed.error().text;
  EXPECT_EQ(pushed->samples, 3u);
  EXPECT_EQ(pushed->refused, 0u);
  EXPECT_THAT(sink_.names(), ElementsAre("http_requests_total/job=api/path=%2Fa", "temp_celsius"));
  EXPECT_EQ(sink_.info("http_requests_total/job=api/path=%2Fa")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.info("temp_celsius")->unit, "°C");
  const auto samples = sink_.samples("http_requests_total/job=api/path=%2Fa");
  EXPECT_EQ(samples[1].value, 18);
  EXPECT_EQ(samples[1].time, Timestamp{std::chrono::milliseconds(kMillis + 500)});
}

TEST_F(RemoteWrite, LabelsThatAreInNoNameAreLabelsOfTheSeries) {
  configure(", series: '{instance}/{measurement}', units: {'+/up': state}");
  const auto pushed =
      take(series(label("__name__", "up") + label("instance", "box:9100") + label("job", "node") + point(1)) +
           series(label("__name__", "up") + point(1)));
  EXPECT_EQ(sink_.info("box:9100/up")->labels, (Labels{{"job", "node"}}));
  EXPECT_EQ(sink_.info("box:9100/up")->unit, "state");
  EXPECT_EQ(pushed->refused, 1u);
  EXPECT_THAT(pushed->told[0].reason, HasSubstr("no tag 'instance'"));
}

TEST_F(RemoteWrite, KnowsTheMarkOfASeriesThatHasEnded) {
  const double stale = std::bit_cast<double>(std::uint64_t{0x7ff0'0000'0000'0002});
  EXPECT_TRUE(is_stale(stale));
  EXPECT_FALSE(is_stale(std::numeric_limits<double>::quiet_NaN()));
  const auto unknown = take(series(label("__name__", "a") + point(stale)));
  EXPECT_EQ(unknown->refused, 0u) << "of a series that nobody knows it says nothing";
  take(series(label("__name__", "a") + point(1) + point(stale)));
  EXPECT_EQ(sink_.last("a")->reason, Reason::device_fault);
  take(series(label("__name__", "a") + point(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_EQ(sink_.last("a")->reason, Reason::not_a_number);
  take(series(label("__name__", "a") + point(2, 1)));
  EXPECT_EQ(sink_.last("a")->reason, Reason::clock) << "a time of 1970";
}

TEST_F(RemoteWrite, PassesOverWhatItDoesNotKnow) {
  const std::string metadata = field(3, '\x08' + varint(1) + field(2, "a"));
  const std::string exemplar = field(3, field(1, field(1, "trace") + field(2, "x")));
  const auto pushed = take(metadata + series(label("__name__", "a") + exemplar + point(1)) +
                           "\x5d"
                           "1234");
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->samples, 1u);
}

TEST_F(RemoteWrite, WhatIsWrongWithASeriesIsToldAndTheOthersAreTaken) {
  const auto pushed =
      take(series(label("job", "x") + point(1)) + series(label("__name__", std::string(256, 'a')) + point(1)) +
           series(label("__name__", "\xff") + point(1)) + series(label("__name__", "h") + field(4, "")) +
           series(label("__name__", "good") + point(1)));
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->samples, 1u);
  ASSERT_EQ(pushed->refused, 4u);
  EXPECT_THAT(pushed->told[0].reason, HasSubstr("without a name"));
  EXPECT_THAT(pushed->told[1].reason, HasSubstr("255"));
  EXPECT_THAT(pushed->told[2].reason, HasSubstr("UTF-8"));
  EXPECT_THAT(pushed->told[3].reason, HasSubstr("native histograms"));
  std::string many = label("__name__", "a");
  for (int i = 0; i < 65; ++i) many += label("l" + std::to_string(i), "x");
  EXPECT_THAT(take(series(many + point(1)))->told[0].reason, HasSubstr("more than 64 labels"));
}

TEST_F(RemoteWrite, ABodyThatBreaksOffGivesNothing) {
  const std::string whole = series(label("__name__", "a") + point(1));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto pushed = take(whole.substr(0, size));
    ASSERT_FALSE(pushed) << size;
    EXPECT_EQ(pushed.error().code, Errc::invalid);
  }
  EXPECT_FALSE(take(whole + "\x0b"));
  EXPECT_TRUE(sink_.samples().empty());
  EXPECT_TRUE(take(""));
}

TEST_F(RemoteWrite, HasABound) {
  std::string points;
  for (std::size_t i = 0; i <= Push::kMostSamples; ++i) points += point(1);
  EXPECT_EQ(take(series(label("__name__", "a") + points)).error().code, Errc::full);
}

TEST_F(RemoteWrite, DocumentsAreReadAsTheSourceSays) {
  EXPECT_EQ(take("{}", Push::Format::document).error().code, Errc::not_found);
  configure(
      ", document: {series: '{/device/id}/{field}', fields: {temp: {pointer: /data/t, unit: °C, scale: 0.1}, mode: "
      "/data/mode}, timestamp: {pointer: /at}}");
  const auto pushed =
      take(R"({"device": {"id": "hall/1"}, "at": "2026-03-01T11:59:00Z", "data": {"t": 215, "mode": "auto"}})",
           Push::Format::document);
  ASSERT_TRUE(pushed) << pushed.error().text;
  EXPECT_EQ(pushed->samples, 2u);
  EXPECT_EQ(sink_.last("hall%2F1/temp")->value, 21.5);
  EXPECT_EQ(sink_.last("hall%2F1/temp")->time, kNow - std::chrono::minutes(1));
  EXPECT_EQ(sink_.last_label("hall%2F1/mode"), "auto");
  EXPECT_TRUE(take(R"({"device": {"id": 2}, "data": {"t": 1}})", Push::Format::document));
  EXPECT_EQ(sink_.last("2/temp")->reason, Reason::clock);
  EXPECT_THAT(take(R"({"data": {"t": 1}})", Push::Format::document).error().text, HasSubstr("no text at '/device/id'"));
  EXPECT_THAT(take("{", Push::Format::document).error().text, HasSubstr("not valid JSON"));
  const auto wrong = take(R"({"device": {"id": 2}, "data": {"t": "warm"}})", Push::Format::document);
  EXPECT_EQ(wrong->refused, 1u);
  EXPECT_THAT(wrong->told[0].reason, HasSubstr("'warm' is no number"));
}

}  // namespace
}  // namespace tidegate::drivers::push
