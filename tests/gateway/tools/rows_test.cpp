#include "gateway/tools/rows.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "tests/support/temp_dir.h"

namespace tidegate::tools {
namespace {

using Row = std::vector<Value>;

std::string written(Format format, const std::vector<std::string_view>& names, const std::vector<Row>& rows) {
  const test::TempDir directory;
  const int file = ::open((directory / "answer").c_str(), O_WRONLY | O_CREAT, 0600);
  Output output(file);
  const auto writer = Rows::make(format, output);
  EXPECT_TRUE(writer->columns(names));
  for (const Row& row : rows) EXPECT_TRUE(writer->row(row));
  EXPECT_TRUE(writer->end());
  EXPECT_TRUE(output.flush());
  ::close(file);
  return test::read_file(directory / "answer");
}

const std::vector<Row> kRows = {{"a,b", std::int64_t{-3}, 20.5},
                                {"say \"ü\"\n", Value(), std::nan("")},
                                {"", std::numeric_limits<std::int64_t>::max(), 0.1}};

TEST(Rows, CsvReadsBack) {
  EXPECT_EQ(written(Format::csv, {"text", "whole", "x"}, kRows),
            "text,whole,x\r\n\"a,b\",-3,20.5\r\n\"say \"\"ü\"\"\n\",,nan\r\n,9223372036854775807,0.1\r\n");
}

TEST(Rows, JsonIsOneArrayOfObjects) {
  EXPECT_EQ(
      written(Format::json, {"text", "whole", "x"}, kRows),
      "[\n{\"text\":\"a,b\",\"whole\":-3,\"x\":20.5},\n{\"text\":\"say \\\"ü\\\"\\u000a\",\"whole\":null,\"x\":null},\n"
      "{\"text\":\"\",\"whole\":9223372036854775807,\"x\":0.1}\n]\n");
  EXPECT_EQ(written(Format::json, {"text"}, {}), "[]\n");
}

TEST(Rows, JsonLinesHaveOneObjectEach) {
  EXPECT_EQ(written(Format::jsonl, {"a", "b"}, {{1.5, "x\\y"}, {Value(), "z"}}),
            "{\"a\":1.5,\"b\":\"x\\\\y\"}\n{\"a\":null,\"b\":\"z\"}\n");
  EXPECT_EQ(written(Format::jsonl, {"a"}, {}), "");
}

TEST(Rows, TableLinesUp) {
  EXPECT_EQ(
      written(Format::table, {"name", "value", "unit"}, {{"grün", 7.25, "°C"}, {"b", std::int64_t{100}, Value()}}),
      "name  value  unit\n"
      "grün   7.25  °C\n"
      "b       100\n");
}

TEST(Rows, TableGivesATerminalNothingToObey) {
  EXPECT_EQ(written(Format::table, {"a"}, {{"\x1b[2J\r"}}), "a\n\\x1b[2J\\x0d\n");
}

TEST(Rows, TableIsMeasuredByItsBeginningAndGoesOnWhateverComes) {
  std::vector<Row> rows(2000, {"xy", 1.0});
  rows.push_back({"longer than all before", 2.0});
  const std::string text = written(Format::table, {"a", "b"}, rows);
  EXPECT_EQ(text.substr(0, 12), "a   b\nxy  1\n");
  EXPECT_TRUE(text.ends_with("\nxy  1\nlonger than all before  2\n"));
}

TEST(Output, SaysThatItCannotBeWritten) {
  const int full = ::open("/dev/full", O_WRONLY);
  Output output(full);
  EXPECT_TRUE(output.write("x"));
  const Status status = output.flush();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::io);
  ::close(full);
}

}  // namespace
}  // namespace tidegate::tools
