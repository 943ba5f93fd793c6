#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/drivers/serial/pty.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A pseudo-terminal's far end is the device.
class SerialDriver : public testing::Test {
 protected:
  void start(const std::string& options) {
    std::string why;
    driver_ =
        test::make_driver("{name: dev, type: serial, port: '" + port() + "', " + options + "}", clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  std::string port() const { return (directory_ / "by-id").string(); }
  std::string problem(const std::string& options) {
    std::string why;
    const auto made =
        test::make_driver("{name: dev, type: serial, port: /dev/ttyS0, " + options + "}", clock_, metrics_, why);
    EXPECT_EQ(made, nullptr) << options;
    return why;
  }
  /// Says it until it is read: what is said before the port is opened is not heard.
  bool say_until(const std::string& line, const std::string& series, double value) {
    return test::eventually([&] {
      device_.say(line);
      std::this_thread::sleep_for(20ms);
      return reads(series, value);
    });
  }
  bool reads(const std::string& series, double value) const {
    const auto last = sink_.last(series);
    return last && last->quality == Quality::good && last->value == value;
  }
  bool says(SourceHealth health, const std::string& text) const { return sink_.wait_for_words(text, health); }
  /// Answers each request, on a thread of its own, until the test ends.
  void answer(const std::string& request, const std::string& reply) {
    answering_ = std::jthread([=, this](std::stop_token stop) {
      std::string heard;
      while (!stop.stop_requested()) {
        heard += device_.hear(20);
        if (heard.find(request) == std::string::npos) continue;
        heard.clear();
        ++asked_;
        if (!mute_) device_.say(reply);
      }
    });
  }
  static std::size_t descriptors() {
    std::size_t all = 0;
    for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) all += one.exists() ? 1 : 1;
    return all;
  }

  test::TempDir directory_;
  test::PtyDevice device_{directory_ / "by-id"};
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> mute_ = false;
  std::jthread thread_, answering_;
};

TEST_F(SerialDriver, ReadsWhatSendsByItself) {
  start("format: csv, baud: 115200, columns: [temperature, '', ok], units: {temperature: °C}");
  ASSERT_TRUE(say_until("21.5,x,true\r\n", "dev/temperature", 21.5));
  EXPECT_TRUE(reads("dev/ok", 1));
  EXPECT_EQ(sink_.info("dev/temperature")->unit, "°C");
  EXPECT_TRUE(says(SourceHealth::up, port()));
}

TEST_F(SerialDriver, ReadsNmeaWithItsUnits) {
  start("format: nmea, states: [gga/fix]");
  ASSERT_TRUE(
      say_until("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n", "dev/gga/altitude", 545.4));
  EXPECT_EQ(sink_.info("dev/gga/altitude")->unit, "m");
  EXPECT_EQ(sink_.last_label("dev/gga/fix"), "gps");
}

TEST_F(SerialDriver, ReadsNamedFieldsOfJsonAndOfPairs) {
  start("format: key_value, series: '{field}', fields: {supply: {pointer: /T1, scale: 0.1, unit: °C}}");
  ASSERT_TRUE(say_until("T1=215 T2=190\n", "supply", 21.5));
  EXPECT_EQ(sink_.names(), std::vector<std::string>{"supply"});
}

TEST_F(SerialDriver, LeavesOutTheLineThatItEntersInItsMiddle) {
  start("format: csv, columns: [a]");
  ASSERT_TRUE(say_until("7\n", "dev/a", 7));
  for (const Sample& sample : sink_.samples("dev/a")) EXPECT_EQ(sample.value, 7);
}

TEST_F(SerialDriver, FindsItsLinesInNoise) {
  start("format: nmea, timeout: 5s");
  ASSERT_TRUE(say_until("$GPHDT,274.07,T*03\r\n", "dev/hdt/heading", 274.07));
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    std::string noise;
    for (int k = 0; k < 200; ++k) noise += static_cast<char>(random());
    device_.say(noise + "\n$GPHDT,1" + std::to_string(i) + ".5,T*FF\r\n");  // a line whose checksum is wrong
    std::this_thread::sleep_for(2ms);
  }
  ASSERT_TRUE(say_until("\n$HEHDT,1.0,T*2E\r\n", "dev/hdt/heading", 1));
  for (const Sample& sample : sink_.samples("dev/hdt/heading")) {
    EXPECT_TRUE(sample.value == 274.07 || sample.value == 1) << sample.value;
  }
  EXPECT_EQ(sink_.rejected().size(), 1u) << "not each line of a stream of noise";
  EXPECT_GE(metrics_.counter("source/dev/bad_lines", "", "").value(), 50);
}

TEST_F(SerialDriver, TakesHalfLinesTogether) {
  start("format: csv, columns: [a]");
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
  for (const char* part : {"12", "3.", "5", "\n"}) {
    device_.say(part);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(test::eventually([&] { return reads("dev/a", 123.5); }));
}

TEST_F(SerialDriver, AnEndlessLineIsNotKept) {
  start("format: csv, columns: [a], max_line: 100");
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
  for (int i = 0; i < 200; ++i) {
    device_.say(std::string(100, '9'));
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(say_until("\n2\n", "dev/a", 2));
  EXPECT_EQ(metrics_.counter("source/dev/bad_lines", "", "").value(), 1);
}

TEST_F(SerialDriver, SilenceIsBadAndTold) {
  start("format: csv, columns: [a], timeout: 200ms");
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
  ASSERT_TRUE(says(SourceHealth::down, "silent for 200ms"));
  EXPECT_EQ(sink_.last("dev/a")->reason, Reason::no_answer);
  ASSERT_TRUE(say_until("2\n", "dev/a", 2));
  EXPECT_TRUE(says(SourceHealth::up, port()));
}

TEST_F(SerialDriver, NamedFieldsThatNeverComeAreTold) {
  start("format: key_value, fields: {h: /hh}, timeout: 300ms");
  ASSERT_TRUE(test::eventually([&] {
    device_.say("h=40 t=21\n");
    std::this_thread::sleep_for(20ms);
    return sink_.wait_for_words("nothing of what is read; there is no /hh in it; it has /h, /t", SourceHealth::down,
                                1ms);
  }));
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_EQ(sink_.rejected()[0].payload, "h=40 t=21");
  EXPECT_TRUE(test::eventually([&] {
    device_.say("t=21\nhh=41\nt=22\n");
    return sink_.wait_for_words(port(), SourceHealth::up, 50ms);
  })) << "lines may be of several kinds";
  EXPECT_TRUE(reads("dev/h", 41));
  EXPECT_EQ(metrics_.counter("source/dev/bad_lines", "", "").value(), 0);
}

TEST_F(SerialDriver, AValueThatCannotBeUsedIsToldThoughAGoodLineFollows) {
  start("format: csv, columns: [a, b]");
  ASSERT_TRUE(say_until("1,2\n", "dev/a", 1));
  device_.say("abc,2\n5,2\n");
  ASSERT_TRUE(says(SourceHealth::degraded, "dev/a: 'abc' is no number"));
  EXPECT_TRUE(test::eventually([&] { return reads("dev/a", 5); }));
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_EQ(sink_.rejected()[0].payload, "abc,2");
  EXPECT_EQ(metrics_.counter("source/dev/bad_lines", "", "").value(), 1);
  ASSERT_TRUE(say_until("6,2\n", "dev/a", 6));
  EXPECT_TRUE(says(SourceHealth::up, port()));
}

TEST_F(SerialDriver, AWrongBaudIsToldApartFromSilence) {
  start("format: nmea, timeout: 200ms");
  ASSERT_TRUE(test::eventually([&] {
    device_.say("\xfe\x80\xf8\x00\x78");
    std::this_thread::sleep_for(20ms);
    const auto all = sink_.reports();
    return !all.empty() && all.back().text.find("are baud, parity and format") != std::string::npos;
  }));
}

TEST_F(SerialDriver, ComesBackWhereverItIsPluggedInAgainAndKeepsNoDescriptor) {
  start("format: csv, columns: [a], timeout: 2s");
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
  const std::size_t before = descriptors();
  for (int i = 2; i < 8; ++i) {
    device_.unplug();
    ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
    EXPECT_EQ(sink_.last("dev/a")->quality, Quality::bad);
    device_.plug_in();
    ASSERT_TRUE(say_until(std::to_string(i) + "\n", "dev/a", i));
    EXPECT_TRUE(says(SourceHealth::up, port()));
  }
  EXPECT_EQ(descriptors(), before);
}

TEST_F(SerialDriver, StartsWithoutItsDevice) {
  device_.unplug();
  start("format: csv, columns: [a]");
  ASSERT_TRUE(says(SourceHealth::down, "cannot be opened: No such file or directory; is it plugged in?"));
  device_.plug_in();
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
}

TEST_F(SerialDriver, WhatIsNoPortAndWhatAnotherHasIsTold) {
  start("format: csv, columns: [a]");
  ASSERT_TRUE(say_until("1\n", "dev/a", 1));
  std::string why;
  fakes::FakeSink other_sink;
  const auto other =
      test::make_driver("{name: other, type: serial, format: csv, port: '" + port() + "'}", clock_, metrics_, why);
  std::jthread other_thread([&](std::stop_token stop) { EXPECT_TRUE(other->run(other_sink, stop)); });
  ASSERT_TRUE(other_sink.wait_for_health(SourceHealth::down));
  EXPECT_THAT(other_sink.reports().back().text, testing::AnyOf(HasSubstr("another source"), HasSubstr("busy")));
  const auto none =
      test::make_driver("{name: none, type: serial, format: csv, port: /dev/null}", clock_, metrics_, why);
  fakes::FakeSink none_sink;
  std::jthread none_thread([&](std::stop_token stop) { EXPECT_TRUE(none->run(none_sink, stop)); });
  ASSERT_TRUE(none_sink.wait_for_health(SourceHealth::down));
  EXPECT_EQ(none_sink.reports().back().text, "/dev/null is no serial port");
}

TEST_F(SerialDriver, StopsWhileItWaits) {
  start("format: csv, timeout: 1h");
  std::this_thread::sleep_for(100ms);
  const auto before = std::chrono::steady_clock::now();
  thread_.request_stop();
  thread_.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST_F(SerialDriver, AsksBeforeEachReading) {
  answer("SI\r\n", "S S     12.50 kg\r\n");
  start(
      "format: pattern, pattern: '(?P<stability>[SD]) +(?P<weight>[0-9.]+) kg', request: \"SI\\r\\n\", every: 100ms, "
      "fields: {weight: {unit: kg, kind: number}, stability: {kind: state}}");
  ASSERT_TRUE(sink_.wait_for_samples("dev/weight", 5));
  EXPECT_TRUE(reads("dev/weight", 12.5));
  EXPECT_EQ(sink_.last_label("dev/stability"), "S");
  EXPECT_GE(asked_, 5);
  EXPECT_TRUE(says(SourceHealth::up, "every 100ms"));
}

TEST_F(SerialDriver, WhoIsAskedAndDoesNotAnswerIsBadAndAskedAgain) {
  answer("?", "noise\x01\nT=5\n");
  start("format: key_value, request: '?', every: 100ms, timeout: 200ms, fields: {T: {kind: number}}");
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return reads("dev/T", 5); })) << "a line of noise comes first";
  mute_ = true;
  ASSERT_TRUE(says(SourceHealth::down, "no answer in 200ms"));
  EXPECT_EQ(sink_.last("dev/T")->reason, Reason::no_answer);
  mute_ = false;
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return reads("dev/T", 5); }));
}

TEST_F(SerialDriver, AnAnswerThatMakesNoSenseIsAFaultOfTheDevice) {
  answer("?", "what?\n");
  start("format: key_value, request: '?', every: 100ms, timeout: 100ms, fields: {T: {kind: number}}");
  ASSERT_TRUE(says(SourceHealth::down, "the answer makes no sense"));
  EXPECT_EQ(sink_.last("dev/T")->reason, Reason::device_fault);
}

TEST_F(SerialDriver, WhoIsAskedMayBeUnpluggedToo) {
  start("format: key_value, request: '?', every: 100ms, timeout: 3s, fields: {T: {kind: number}}");
  const auto serve = [&](const char* reply) {
    return test::eventually([&] {
      if (!device_.hear(20).empty()) device_.say(reply);
      return reads("dev/T", reply[2] - '0');
    });
  };
  ASSERT_TRUE(serve("T=1\n"));
  const std::size_t before = descriptors();
  for (const char* reply : {"T=2\n", "T=3\n"}) {
    device_.unplug();
    ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
    device_.plug_in();
    ASSERT_TRUE(serve(reply));
  }
  EXPECT_EQ(descriptors(), before);
}

TEST_F(SerialDriver, OptionsThatMakeNoSenseAreProblems) {
  EXPECT_THAT(problem("format: csv, baud: 9601"), HasSubstr("9600"));
  EXPECT_THAT(problem("format: pattern"), HasSubstr("needs a 'pattern'"));
  EXPECT_THAT(problem("format: csv, every: 2s"), HasSubstr("'every' needs a 'request'"));
  EXPECT_THAT(problem("format: csv, separator: ab"), HasSubstr("one character"));
  EXPECT_THAT(problem("format: nmea, columns: [a]"), HasSubstr("'columns' has no meaning"));
  EXPECT_THAT(problem("format: json, checksums: false"), HasSubstr("'checksums' has no meaning"));
}

}  // namespace
}  // namespace tidegate::drivers
