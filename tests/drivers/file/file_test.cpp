#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <thread>

#include "drivers/file/options.h"
#include "drivers/file/tail.h"
#include "gateway/core/time_text.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/held.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

class FileDriver : public testing::Test {
 protected:
  std::string path() const { return (directory_ / "log").string(); }
  void append(const std::string& text) { std::ofstream(path(), std::ios::app) << text; }
  void start(const std::string& options) {
    std::string why;
    driver_ =
        test::make_driver("{name: log, type: file, path: '" + path() + "', " + options + "}", clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { result_ = driver_->run(sink_, stop); });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
    EXPECT_TRUE(result_) << result_.error().text;
  }
  std::string problem(const std::string& options) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: log, type: file, path: /a, " + options + "}", clock_, metrics_, why), nullptr);
    return why;
  }
  std::vector<double> values(const std::string& series) const {
    std::vector<double> all;
    for (const Sample& sample : sink_.samples(series)) all.push_back(sample.value);
    return all;
  }
  bool says(SourceHealth health, const std::string& text) const { return sink_.wait_for_words(text, health); }

  test::TempDir directory_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  Status result_;
  std::jthread thread_;
};

TEST_F(FileDriver, FollowsCsvByItsHeader) {
  append("time,temp,mode\n2026-03-01T12:00:00Z,20,off\n");
  start("format: csv, every: 50ms, from: beginning, timestamp: {pointer: /time}, states: [mode], units: {temp: °C}");
  ASSERT_TRUE(sink_.wait_for_samples("log/temp", 1));
  append("2026-03-01T12:00:01Z,21,");
  append("on\n");
  ASSERT_TRUE(sink_.wait_for_samples("log/mode", 2));
  EXPECT_THAT(values("log/temp"), ElementsAre(20, 21));
  EXPECT_EQ(rfc3339(sink_.last("log/temp")->time), "2026-03-01T12:00:01Z");
  EXPECT_EQ(sink_.last_label("log/mode"), "on");
  EXPECT_EQ(sink_.info("log/temp")->unit, "°C");
  EXPECT_TRUE(says(SourceHealth::up, path()));
}

TEST_F(FileDriver, FollowsJsonLinesOverARotation) {
  append("{\"a\": 1}\n");
  start("format: jsonl, every: 50ms, from: beginning");
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 1));
  append("{\"a\": 2}\n");
  std::filesystem::rename(path(), path() + ".1");
  append("{\"a\": 3}\n");
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 3));
  EXPECT_THAT(values("log/a"), ElementsAre(1, 2, 3));
  EXPECT_TRUE(test::eventually([&] { return metrics_.counter("source/log/rotations", "", "").value() == 1; }));
}

TEST_F(FileDriver, ALineThatMakesNoSenseIsShownAndCounted) {
  append("{\"a\": 1}\nnonsense\n");
  start("format: jsonl, every: 50ms, from: beginning");
  ASSERT_TRUE(says(SourceHealth::degraded, "not valid JSON"));
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_EQ(sink_.rejected()[0].payload, "nonsense");
  append("{\"a\": 2}\n");
  ASSERT_TRUE(says(SourceHealth::up, path()));
  EXPECT_EQ(metrics_.counter("source/log/bad_lines", "", "").value(), 1);
}

TEST_F(FileDriver, NamedFieldsThatNeverComeAreTold) {
  append("{\"temp\": 21}\n{\"temp\": 22}\n");
  start("format: jsonl, every: 50ms, from: beginning, fields: {t: /t, h: /h}, silent_after: 2s");
  ASSERT_TRUE(says(SourceHealth::degraded, "there is no /t, /h in it; it has /temp"));
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_EQ(sink_.rejected()[0].payload, "{\"temp\": 21}");
  EXPECT_EQ(metrics_.counter("source/log/bad_lines", "", "").value(), 2);
  append("{\"h\": 40}\n{\"temp\": 23}\n");
  ASSERT_TRUE(says(SourceHealth::up, path())) << "lines may be of several kinds";
  EXPECT_EQ(metrics_.counter("source/log/bad_lines", "", "").value(), 2);
  ASSERT_TRUE(test::eventually([&] {
    append("{\"temp\": 24}\n");
    return sink_.reports().back().health == SourceHealth::down;
  })) << "of what is read they say nothing";
  EXPECT_EQ(sink_.last("log/h")->reason, Reason::no_answer);
}

TEST_F(FileDriver, NamedColumnsThatAFileHasNoMoreAreTold) {
  append("t,h\n21,40\n");
  start("format: csv, every: 50ms, from: beginning, fields: {t: /t}");
  ASSERT_TRUE(sink_.wait_for_samples("log/t", 1));
  std::filesystem::rename(path(), path() + ".1");
  append("temp,h\n22,41\n");
  ASSERT_TRUE(says(SourceHealth::degraded, "there is no /t in it; it has /temp, /h"));
}

TEST_F(FileDriver, AValueThatCannotBeUsedIsToldThoughAGoodLineFollows) {
  append("t,mode\n21.6,a\n");
  start("format: csv, every: 50ms, from: beginning, fields: {t: {pointer: /t, kind: number}}");
  ASSERT_TRUE(says(SourceHealth::up, path()));
  append("\"21,7\",b\n21.9,c\n");
  ASSERT_TRUE(says(SourceHealth::degraded, "log/t: '21,7' is no number"));
  EXPECT_EQ(sink_.last("log/t")->value, 21.9);
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_EQ(sink_.rejected()[0].payload, "\"21,7\",b");
  EXPECT_EQ(metrics_.counter("source/log/bad_lines", "", "").value(), 1);
  append("22,d\n");
  ASSERT_TRUE(says(SourceHealth::up, path()));
}

TEST_F(FileDriver, GoesOnWhereItWasAfterARestart) {
  append("{\"a\": 1}\n{\"a\": 2}\n");
  const std::string options =
      "format: jsonl, every: 50ms, from: beginning, position: '" + (directory_ / "position").string() + "'";
  start(options);
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 2));
  stop();
  append("{\"a\": 3}\n");
  start(options);
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 3));
  stop();
  EXPECT_THAT(values("log/a"), ElementsAre(1, 2, 3));
}

TEST_F(FileDriver, KeepsNoPositionOfWhatIsNotOnDisk) {
  append("{\"a\": 1}\n");
  sink_.commit_through(0);
  const std::string options =
      "format: jsonl, every: 50ms, from: beginning, position: '" + (directory_ / "position").string() + "'";
  start(options);
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 1));
  stop();  // as with a power cut
  sink_.commit_through(UINT64_MAX);
  start(options);
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 2)) << "what was not on disk is read again";
}

TEST_F(FileDriver, ALargeFileDoesNotDrownTheQueue) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"a\": " + std::to_string(i) + "}\n";
  append(text);
  sink_.commit_through(0);
  start("format: jsonl, every: 50ms, from: beginning");
  ASSERT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.committed_waits() == 1; }));
  EXPECT_LT(sink_.samples("log/a").size(), 5000u);
  sink_.commit_through(UINT64_MAX);
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 20'000));
}

TEST_F(FileDriver, SaysThatTheFileIsNotThereAndThatItIsSilent) {
  start("format: jsonl, every: 50ms, silent_after: 300ms");
  ASSERT_TRUE(says(SourceHealth::down, "No such file or directory; is the path right"));
  append("{\"a\": 1}\n");
  ASSERT_TRUE(sink_.wait_for_samples("log/a", 1));
  ASSERT_TRUE(says(SourceHealth::down, "no line with what is read for 300ms"));
  EXPECT_EQ(sink_.last("log/a")->reason, Reason::no_answer);
}

TEST_F(FileDriver, AFileThatIsLostAThousandTimesMissesNoLineAndLeavesNothingOpenBehind) {
  config::Problems problems;
  auto options = file::read_options(
      test::source_section("{name: log, type: file, path: '" + path() + "', format: jsonl}", problems), problems);
  ASSERT_EQ(problems.text(), "");
  options.every = 1ms;
  driver_ = file::make_tail(std::move(options), {"log", clock_, metrics_});
  thread_ = std::jthread([this](std::stop_token stop) { result_ = driver_->run(sink_, stop); });
  ASSERT_TRUE(says(SourceHealth::down, "No such file or directory"));
  const test::Held before = test::held_by();
  const int times = test::flaps(1000);
  for (int i = 0; i < times; ++i) {
    append("{\"a\": " + std::to_string(i) + "}\n");
    ASSERT_TRUE(sink_.wait_for_samples("log/a", static_cast<std::size_t>(i) + 1)) << "in turn " << i;
    if (i % 2 == 0) {
      std::filesystem::rename(path(), path() + ".1");
    } else {
      std::filesystem::remove(path());
    }
    ASSERT_TRUE(says(SourceHealth::down, "No such file or directory")) << "in turn " << i;
  }
  EXPECT_EQ(test::held_by(), before);
  std::vector<double> all(static_cast<std::size_t>(times));
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(values("log/a"), all);
  EXPECT_EQ(metrics_.counter("source/log/rotations", "", "").value(), times);
}

constexpr const char* kRecording =
    "series,time,value,quality,label\r\n"
    "boiler/temp,2026-03-01T12:00:00.000000Z,20,good,\r\n"
    "boiler/temp,2026-03-01T12:00:10.000000Z,,bad,\r\n"
    "boiler/temp,2026-03-01T12:00:20.000000Z,22,uncertain,\r\n"
    "boiler/burner,2026-03-01T12:00:05.000000Z,1,good,run\r\n";

TEST_F(FileDriver, ReplaysARecordingAsIfItHappenedNow) {
  append(kRecording);
  const Timestamp before = clock_.now();
  start("format: csv, series: 'demo/{series}', replay: {speed: 40, units: {boiler/temp: °C}}");
  ASSERT_TRUE(says(SourceHealth::up, "4 rows of"));
  EXPECT_THAT(values("demo/boiler/temp"), ElementsAre(20, 0, 22));
  const auto samples = sink_.samples("demo/boiler/temp");
  EXPECT_THAT(samples[0].time - before, AllOf(Ge(0s), Le(2s)));
  EXPECT_EQ(samples[1].time - samples[0].time, 250ms);
  EXPECT_EQ(samples[2].time - samples[0].time, 500ms);
  EXPECT_EQ(samples[1].quality, Quality::bad);
  EXPECT_EQ(samples[2].quality, Quality::uncertain);
  EXPECT_EQ(sink_.last_label("demo/boiler/burner"), "run");
  EXPECT_EQ(sink_.samples("demo/boiler/burner")[0].time - samples[0].time, 125ms);
  EXPECT_EQ(sink_.info("demo/boiler/burner")->kind, SeriesKind::state);
  EXPECT_EQ(sink_.info("demo/boiler/temp")->unit, "°C");
}

TEST_F(FileDriver, ReplaysWithTheTimesThatWereRecordedAsFastAsItCan) {
  append(kRecording);
  start("format: csv, replay: {speed: max, times: own}");
  ASSERT_TRUE(says(SourceHealth::up, "4 rows of"));
  EXPECT_EQ(rfc3339(sink_.last("boiler/temp")->time), "2026-03-01T12:00:20Z");
  EXPECT_EQ(sink_.samples("boiler/temp").size(), 3u);
}

TEST_F(FileDriver, LoopsARecordingWithoutAGap) {
  append(kRecording);
  start("format: csv, replay: {speed: 100, loop: true}");
  ASSERT_TRUE(sink_.wait_for_samples("boiler/temp", 9));
  const auto samples = sink_.samples("boiler/temp");
  EXPECT_EQ(samples[3].value, 20);
  EXPECT_THAT(samples[3].time - samples[2].time, AllOf(Ge(90ms), Le(400ms))) << "a step of 10 s, 100 times as fast";
  stop();
}

TEST_F(FileDriver, AFastReplayWaitsForTheDisk) {
  std::string text = "series,time,value\n";
  for (int i = 0; i < 20'000; ++i)
    text += fmt::format("a,2026-03-01T{:02}:{:02}:{:02}Z,1\n", i / 3600, i / 60 % 60, i % 60);
  append(text);
  sink_.commit_through(0);
  start("format: csv, replay: {speed: max, times: own}");
  ASSERT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.committed_waits() == 1; }));
  EXPECT_LE(sink_.samples("a").size(), 4096u);
  sink_.commit_through(UINT64_MAX);
  ASSERT_TRUE(sink_.wait_for_samples("a", 20'000));
}

TEST_F(FileDriver, ARecordingThatIsNoneIsTold) {
  append("a,b\n1,2\n");
  start("format: csv, replay: {}");
  thread_.join();
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().text, HasSubstr("names no column 'series'"));
}

TEST_F(FileDriver, WaitsForARecordingAndStops) {
  start("format: csv, replay: {speed: 0.001}");
  ASSERT_TRUE(says(SourceHealth::down, "No such file"));
  append(kRecording);
  ASSERT_TRUE(sink_.wait_for_samples("boiler/temp", 1));
  const auto before = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST_F(FileDriver, OptionsThatMakeNoSenseAreProblems) {
  EXPECT_THAT(problem("format: csv, replay: {loop: true, times: own}"), HasSubstr("again and again"));
  EXPECT_THAT(problem("format: csv, replay: {speed: max}"), HasSubstr("needs 'times: own'"));
  EXPECT_THAT(problem("format: csv, from: beginning, replay: {}"), HasSubstr("'from' has no meaning with 'replay'"));
  EXPECT_THAT(problem("format: csv, position: /x, replay: {}"), HasSubstr("'position' has no meaning"));
  EXPECT_THAT(problem("format: jsonl, columns: [a]"), HasSubstr("'format: csv' only"));
  EXPECT_THAT(problem("format: csv, separator: ''"), HasSubstr("one character"));
}

}  // namespace
}  // namespace tidegate::drivers
