#include "drivers/file/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::file {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RecordedFile : public testing::Test {
 protected:
  Result<std::unique_ptr<Recording>> open(const std::string& text, Options::Format format = Options::Format::csv) {
    return Recording::open(directory_.write("recording", text), format, 1000, std::stop_token{});
  }
  static std::vector<std::string> read(Recording& recording) {
    std::vector<std::string> rows;
    for (Recording::Entry entry; *recording.next(entry);) {
      const Row& row = entry.row;
      rows.push_back(rfc3339(row.time).substr(17, 2) + " " + recording.series()[entry.series].name + "=" +
                     (row.value.type == Reading::Type::text ? std::string(row.value.text)
                      : row.quality == Quality::bad         ? "bad"
                                                            : number_text(row.value.number)) +
                     (row.quality == Quality::uncertain ? "?" : ""));
    }
    return rows;
  }
  test::TempDir directory_;
};

constexpr const char* kExport =
    "series,time,value,quality,label\r\n"
    "boiler/temp,2026-03-01T12:00:01.000000Z,20.5,good,\r\n"
    "boiler/temp,2026-03-01T12:00:03.000000Z,,bad,\r\n"
    "boiler/temp,2026-03-01T12:00:05.000000Z,21,uncertain,\r\n"
    "\"pump, left\",2026-03-01T12:00:02.000000Z,1,good,\"on \"\"full\"\"\"\r\n"
    "\"pump, left\",2026-03-01T12:00:04.000000Z,0,good,off\r\n";

TEST_F(RecordedFile, GivesAllSeriesInOrderOfTime) {
  auto recording = open(kExport);
  ASSERT_TRUE(recording) << recording.error().text;
  EXPECT_THAT(read(**recording), ElementsAre("01 boiler/temp=20.5", "02 pump, left=on \"full\"", "03 boiler/temp=bad",
                                             "04 pump, left=off", "05 boiler/temp=21?"));
  EXPECT_EQ((*recording)->series()[0].kind, SeriesKind::number);
  EXPECT_EQ((*recording)->series()[1].kind, SeriesKind::state);
  EXPECT_EQ((*recording)->rows(), 5u);
  EXPECT_EQ((*recording)->period(), Micros{std::chrono::seconds(6)}) << "four seconds, and a step of two";
  (*recording)->rewind();
  EXPECT_EQ(read(**recording).size(), 5u);
}

TEST_F(RecordedFile, MayHaveObjectsForLines) {
  auto recording = open(R"({"series":"a","time":"2026-03-01T12:00:01Z","value":1.5,"quality":"good","label":null})"
                        "\n"
                        R"({"series":"b","time":"2026-03-01T12:00:00Z","value":0,"quality":"good","label":"open"})"
                        "\n"
                        R"({"series":"b","time":"2026-03-01T12:00:02Z","value":null,"quality":"bad","label":null})",
                        Options::Format::jsonl);
  ASSERT_TRUE(recording) << recording.error().text;
  EXPECT_THAT(read(**recording), ElementsAre("00 b=open", "01 a=1.5", "02 b=bad"));
}

TEST_F(RecordedFile, PassesOverWhatIsNoRowAndSaysSo) {
  auto recording = open(
      "time,series,value\n2026-03-01T12:00:01Z,a,1\nnonsense\n2026-03-01T12:00:02Z,a,\n,a,1\n2026-03-01T12:00:03Z,a+,"
      "1\n"
      "2026-03-01T12:00:04Z,a,2");
  ASSERT_TRUE(recording) << recording.error().text;
  EXPECT_THAT(read(**recording), ElementsAre("01 a=1", "04 a=2"));
  EXPECT_EQ((*recording)->refused(), 4u);
  EXPECT_THAT((*recording)->problem(), HasSubstr("'nonsense'"));
}

TEST_F(RecordedFile, OfManySeriesIsMergedWithAPieceOfEachInMemory) {
  std::string text = "series,time,value\n";
  for (int series = 0; series < 50; ++series) {
    for (int second = 0; second < 600; ++second) {
      text += fmt::format("s{},2026-03-01T12:{:02}:{:02}Z,{}\n", series, second / 60, second % 60, second);
    }
  }
  auto recording = open(text);
  ASSERT_TRUE(recording);
  Timestamp last{};
  std::vector<double> next(50, 0);
  Recording::Entry entry;
  while (*(*recording)->next(entry)) {
    EXPECT_GE(entry.row.time, last);
    last = entry.row.time;
    EXPECT_EQ(entry.row.value.number, next[entry.series]++);
  }
  for (const double all : next) EXPECT_EQ(all, 600);
}

TEST_F(RecordedFile, ThatIsNoneIsTold) {
  EXPECT_THAT(open("").error().text, HasSubstr("no row"));
  EXPECT_THAT(open("a,b\n1,2\n").error().text, HasSubstr("no column 'series'"));
  EXPECT_THAT(open("{\"a\":1}\n", Options::Format::jsonl).error().text, HasSubstr("names no series"));
  EXPECT_EQ(Recording::open(directory_ / "absent", Options::Format::csv, 100, std::stop_token{}).error().code,
            Errc::unavailable);
  std::string jumping = "series,time,value\n";
  for (int i = 0; i < 45'000; ++i) jumping += fmt::format("a,2026-03-01T12:00:0{}Z,1\n", 1 - i % 2);
  EXPECT_THAT(open(jumping).error().text, HasSubstr("to and fro"));
}

}  // namespace
}  // namespace tidegate::drivers::file
