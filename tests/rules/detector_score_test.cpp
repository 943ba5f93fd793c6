// The pure parts of tidegate-detector-score: what it reads, and how it counts.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/bench/score.h"
#include "tests/bench/series_files.h"

namespace tidegate::bench {
namespace {

using std::chrono::seconds;

constexpr Timestamp kStart{seconds(1'396'310'400)};  // 2014-04-01 00:00:00
Timestamp at(int second) { return kStart + seconds(second); }

TEST(SeriesFiles, ReadTimesAsCorporaWriteThem) {
  EXPECT_EQ(time_of("2014-04-01 00:00:00"), kStart);
  EXPECT_EQ(time_of("2014-04-01 00:00:00.000000"), kStart);
  EXPECT_EQ(time_of("2014-04-01T01:00:00+01:00"), kStart);
  EXPECT_EQ(time_of("1396310400"), kStart);
  EXPECT_EQ(time_of("1396310400.5"), kStart + std::chrono::milliseconds(500));
  EXPECT_EQ(time_of("1396310400000"), kStart);
  for (const char* wrong : {"", "soon", "2014-13-01 00:00:00", "1e300"}) EXPECT_FALSE(time_of(wrong)) << wrong;
}

TEST(SeriesFiles, ReadCsvWithAndWithoutHeader) {
  const auto read =
      parse_csv("timestamp,value\r\n2014-04-01 00:00:00,1.5,x\r\n\n1396310460,\n1396310520,nan\n", "a.csv");
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].time, kStart);
  EXPECT_EQ((*read)[0].value, 1.5);
  EXPECT_TRUE(std::isnan((*read)[1].value) && std::isnan((*read)[2].value));
  EXPECT_EQ(parse_csv("1396310400,2", "a.csv")->size(), 1u);
}

TEST(SeriesFiles, SayWhichLineOfACsvIsWrong) {
  const auto problem = [](const char* text) { return parse_csv(text, "a.csv").error().text; };
  EXPECT_EQ(problem("timestamp,value\n1396310400,1\n1396310400;1\n"), "a.csv:3: expected timestamp,value");
  EXPECT_EQ(problem("1396310400,1\nyesterday,1\n"),
            "a.csv:2: 'yesterday' is no time: write 2014-04-01 00:00:00, RFC 3339 or seconds since 1970");
  EXPECT_EQ(problem("timestamp,value\n1396310400,warm\n"), "a.csv:2: 'warm' is no number");
}

TEST(SeriesFiles, ReadLabelsAndSayWhatIsWrongWithThem) {
  const auto labels = parse_labels(
      R"({"a/b.csv": [["2014-04-01 00:00:00.000000", "2014-04-01 00:01:00.000000"]], "c.csv": []})", "l.json");
  ASSERT_TRUE(labels) << labels.error().text;
  ASSERT_EQ(labels->at("a/b.csv").size(), 1u);
  EXPECT_EQ(labels->at("a/b.csv")[0].start, kStart);
  EXPECT_EQ(labels->at("a/b.csv")[0].end, at(60));
  EXPECT_TRUE(labels->at("c.csv").empty());
  const auto problem = [](const char* json) { return parse_labels(json, "l.json").error().text; };
  EXPECT_EQ(problem("{\n\"a.csv\": [\n"), R"(l.json:3: expected JSON like {"file.csv": [["start", "end"]]})");
  EXPECT_EQ(problem("[]"), R"(l.json:1: expected JSON like {"file.csv": [["start", "end"]]})");
  EXPECT_EQ(problem(R"({"a.csv": [["2014-04-01"]]})"),
            R"(l.json: "a.csv": a window is a list of two times, its start and its end)");
  EXPECT_EQ(problem(R"({"a.csv": [["2014-04-02", "2014-04-01"]]})"),
            R"(l.json: "a.csv": ["2014-04-02","2014-04-01"] is no window of two times, the earlier first)");
}

TEST(Tally, CountsAlarmsAgainstFaults) {
  const std::vector<Span> faults{{at(100), at(200)}, {at(300), at(400)}};
  const Tally seen =
      tally(std::vector{at(10), at(50), at(130), at(150), at(200), at(250)}, faults, at(20), at(20 + 2 * 86'400));
  EXPECT_EQ(seen.alarms, 5u) << "the one at 10 s does not count";
  EXPECT_EQ(seen.right, 3u);
  EXPECT_DOUBLE_EQ(seen.precision(), 0.6);
  EXPECT_DOUBLE_EQ(seen.recall(), 0.5);
  EXPECT_DOUBLE_EQ(seen.median_delay(), 30);
  EXPECT_DOUBLE_EQ(seen.false_alarms_a_day(), 1);
}

/// A file of 1,000 readings, of which 600 to 699 are a window, with one score at some of them.
Scored file(std::initializer_list<std::pair<std::size_t, double>> scores) {
  Scored made;
  for (int i = 0; i < 1000; ++i) made.times.push_back(at(i));
  made.scores.resize(1000);
  for (const auto& [row, score] : scores) made.scores[row] = score;
  made.spans = {{at(600), at(699)}};
  return made;
}

double standard(std::initializer_list<std::pair<std::size_t, double>> scores) {
  return standard_score(std::vector{file(scores)}).score;
}

/// The definition, one threshold at a time.
double slow_standard(const std::vector<Scored>& files) {
  const auto sigmoid = [](double x) { return x >= 3 ? -1 : 2 / (1 + std::exp(5 * x)) - 1; };
  const auto total_at = [&](double threshold) {
    double total = 0;
    for (const Scored& one : files) {
      double best = -1;
      for (int i = 150; i < 1000; ++i) {
        if (one.scores[static_cast<std::size_t>(i)] < threshold) continue;
        if (i < 600) total -= 0.11;
        if (i > 699) total += 0.11 * sigmoid((i - 699) / 99.0);
        if (i >= 600 && i <= 699) best = std::max(best, sigmoid(-(700 - i) / 100.0) / sigmoid(-1));
      }
      total += best;
    }
    return total;
  };
  double best = total_at(std::numeric_limits<double>::infinity());
  for (const Scored& one : files)
    for (const double threshold : one.scores) best = std::max(best, total_at(threshold));
  const auto windows = static_cast<double>(files.size());
  return 100 * (best + windows) / (2 * windows);
}

TEST(StandardScore, IsTheBenchmarks) {
  EXPECT_DOUBLE_EQ(standard({}), 0);
  EXPECT_DOUBLE_EQ(standard({{600, 1}}), 100);
  EXPECT_NEAR(standard({{650, 1}}), 50 * (1 + 0.848284 / 0.986614), 1e-3) << "half of the window has passed";
  EXPECT_DOUBLE_EQ(standard({{600, 1}, {300, 1}}), 100 - 50 * 0.11);
  EXPECT_DOUBLE_EQ(standard({{600, 1}, {300, 0.5}}), 100) << "a threshold between them";
  EXPECT_DOUBLE_EQ(standard({{600, 1}, {100, 1}}), 100) << "the first 15 % do not count";
  EXPECT_DOUBLE_EQ(standard({{300, 1}}), 0) << "better to say nothing";
}

TEST(StandardScore, IsThatOfTheBestThresholdForAllFiles) {
  std::uint64_t state = 1;
  const auto random = [&] {
    return static_cast<double>((state = state * 6364136223846793005u + 1442695040888963407u) >> 40);
  };
  for (int round = 0; round < 5; ++round) {
    std::vector<Scored> files{file({}), file({}), file({})};
    for (Scored& one : files)
      for (std::size_t i = 0; i < 1000; i += 37) one.scores[i] = std::floor(random() / 1e6) + (i / 100 == 6 ? 3 : 0);
    EXPECT_NEAR(standard_score(files).score, slow_standard(files), 1e-9) << round;
  }
}

}  // namespace
}  // namespace tidegate::bench
