#include "drivers/http/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/series_name.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Each line as "name{label=value} kind value @millis", or "! what is wrong".
std::vector<std::string> read(std::string_view page) {
  std::vector<std::string> lines;
  for (ExpositionReader reader(page); reader.next();) {
    if (!reader.status()) {
      lines.push_back("! " + reader.status().error().text);
      continue;
    }
    const Metric& metric = reader.metric();
    std::string line(metric.name);
    for (const auto& label : metric.labels)
      line += "{" + std::string(label.name) + "=" + std::string(label.value) + "}";
    line += " " + std::string(name(metric.kind)) + " ";
    line += metric.value.type == Reading::Type::number ? number_text(metric.value.number) : "none";
    if (metric.time) line += " @" + std::to_string(metric.time->time_since_epoch().count() / 1000);
    lines.push_back(line);
  }
  return lines;
}

TEST(ExpositionLines, HaveNameLabelsValueAndTime) {
  EXPECT_THAT(read("up 1\n"
                   "http_requests{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                   "spaced  { a = \"1\" , b=\"2\", }   1e3\t-5\r\n"
                   "last{} 3"),
              ElementsAre("up number 1", "http_requests{method=post}{code=200} number 1027 @1395066363000",
                          "spaced{a=1}{b=2} number 1000 @-5", "last number 3"));
}

TEST(ExpositionLines, UndoEscapesInLabels) {
  EXPECT_THAT(read(R"(disk{path="C:\\DIR\n",quote="\"",other="\x"} 1)"),
              ElementsAre("disk{path=C:\\DIR\n}{quote=\"}{other=\\x} number 1"));
}

TEST(ExpositionLines, LeaveOutEmptyLabelsWhichAreAsIfTheyWereNotThere) {
  EXPECT_THAT(read("a{b=\"\",c=\"1\"} 1"), ElementsAre("a{c=1} number 1"));
}

TEST(ExpositionLines, KnowWordsForWhatIsNoNumber) {
  EXPECT_THAT(read("a NaN\nb +Inf\nc -Inf\nd 1e999\n"),
              ElementsAre("a number none", "b number none", "c number none", "d number none"));
}

TEST(ExpositionTypes, MakeCountersAlsoOfTheirParts) {
  EXPECT_THAT(read("# TYPE a counter\na 1\n# TYPE b counter\nb_total 2\n# TYPE h histogram\n"
                   "h_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 5\n# TYPE g gauge\ng 6\ng_count 7\n# TYPE s summary\n"
                   "s{quantile=\"0.5\"} 8\ns_sum 9\n"),
              ElementsAre("a counter 1", "b_total counter 2", "h_bucket{le=+Inf} counter 3", "h_sum counter 4",
                          "h_count counter 5", "g number 6", "g_count number 7", "s{quantile=0.5} number 8",
                          "s_sum counter 9"));
}

TEST(ExpositionLines, ThatAreWrongAreToldAndPassedOver) {
  const auto lines = read(
      "{a=\"1\"} 1\n9a 1\na{b=1} 1\na{b=\"1} 1\na{=\"1\"} 1\na{b=\"1\"c=\"2\"} 1\na\na x\na 1 y\n"
      "a 1 2 3\na 1 99999999999999999999\na{b=\"\xff\"} 1\ngood 1\n# comment\n\n");
  ASSERT_EQ(lines.size(), 13u);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) EXPECT_THAT(lines[i], testing::StartsWith("!")) << i;
  EXPECT_EQ(lines.back(), "good number 1");
}

TEST(ExpositionLines, AreBounded) {
  std::string many = "a{";
  for (int i = 0; i < 65; ++i) many += "l" + std::to_string(i) + "=\"1\",";
  EXPECT_THAT(read(many + "} 1")[0], HasSubstr("more than 64 labels"));
  EXPECT_THAT(read("a{b=\"" + std::string(70'000, 'x') + "\"} 1")[0], HasSubstr("65536 bytes"));
}

TEST(UnitsOfMetrics, AreThoseOfTheirNames) {
  EXPECT_EQ(unit_of_metric("process_cpu_seconds_total"), "s");
  EXPECT_EQ(unit_of_metric("node_memory_bytes"), "B");
  EXPECT_EQ(unit_of_metric("temperature_celsius"), "°C");
  EXPECT_EQ(unit_of_metric("requests_total"), "");
}

}  // namespace
}  // namespace tidegate::drivers::http
