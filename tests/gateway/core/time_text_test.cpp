#include "gateway/core/time_text.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

Timestamp at(std::int64_t micros) { return Timestamp{Micros{micros}}; }

TEST(Rfc3339, ShowsTheFractionOnlyWhereThereIsOne) {
  EXPECT_EQ(rfc3339(at(1'772'366'400'000'000)), "2026-03-01T12:00:00Z");
  EXPECT_EQ(rfc3339(at(1'772'366'400'250'000)), "2026-03-01T12:00:00.250Z");
  EXPECT_EQ(rfc3339(at(1'772'366'400'000'001)), "2026-03-01T12:00:00.000001Z");
}

TEST(Rfc3339, ShowsTimesBefore1970) { EXPECT_EQ(rfc3339(at(-1)), "1969-12-31T23:59:59.999999Z"); }

TEST(Rfc3339, ReadsBackWhatItShows) {
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'772'366'400'250'000},
                                    std::int64_t{951'782'400'000'000}, std::int64_t{253'402'300'799'999'999}}) {
    EXPECT_EQ(parse_rfc3339(rfc3339(at(micros))), at(micros)) << micros;
  }
}

TEST(Rfc3339, ReadsOffsets) {
  const auto noon = parse_rfc3339("2026-03-01T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(parse_rfc3339("2026-03-01T13:00:00+01:00"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-01T06:30:00-05:30"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-01t12:00:00z"), noon);
}

TEST(Rfc3339, CutsTheFractionToMicroseconds) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.1234567Z"), at(123'456));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.5Z"), at(500'000));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.999999999Z"), at(999'999));
}

TEST(Rfc3339, TakesALeapSecondAsTheNextMinute) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* wrong :
       {"", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01 12:00:00Z", "2026-3-1T12:00:00Z", "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00.1234567890Z", "2026-03-01T12:00:00+1:00",
        "2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00Z ", "+2026-03-01T12:00:00Z", "2026-03-01T12:00:00ZZ"}) {
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
  }
}

TEST(Rfc3339, WithSixDigitsSortsAsTheTimesDo) {
  EXPECT_EQ(rfc3339_micros(at(1'772'366'400'250'000)), "2026-03-01T12:00:00.250000Z");
  EXPECT_LT(rfc3339_micros(at(1'772'366'400'000'000)), rfc3339_micros(at(1'772'366'400'250'000)));
  EXPECT_EQ(rfc3339_micros(at(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, IsReadAsPeopleWriteIt) {
  const Timestamp now = at(1'772'366'400'000'000);  // 2026-03-01T12:00:00Z
  EXPECT_EQ(parse_time("now", now), now);
  EXPECT_EQ(parse_time("-1h30m", now), now - 90min);
  EXPECT_EQ(parse_time("+5m", now), now + 5min);
  EXPECT_EQ(parse_time("2026-03-01", now), now - 12h);
  EXPECT_EQ(parse_time("2026-03-01 12:00", now), now);
  EXPECT_EQ(parse_time("2026-03-01T12:00", now), now);
  EXPECT_EQ(parse_time("2026-03-01 12:00:01.5", now), now + 1500ms);
  EXPECT_EQ(parse_time("2026-03-01T13:00+01:00", now), now);
  EXPECT_EQ(parse_time("2026-03-01 12:00:00Z", now), now);
  for (const char* wrong :
       {"", "-", "1h", "-1", "now ", "yesterday", "2026-03", "2026-02-30", "2026-03-01 ", "2026-03-01 12",
        "2026-03-01 24:00", "2026-03-01Z", "2026-03-01 12:00:61", "2026-03-01 12:00 +01:00", "1772366400"}) {
    EXPECT_FALSE(parse_time(wrong, now)) << wrong;
  }
}

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), Micros{250ms});
  EXPECT_EQ(parse_duration("5s"), Micros{5s});
  EXPECT_EQ(parse_duration("2h"), Micros{2h});
  EXPECT_EQ(parse_duration("7d"), Micros{168h});
  EXPECT_EQ(parse_duration("4w"), Micros{672h});
  EXPECT_EQ(parse_duration("10us"), Micros{10});
  EXPECT_EQ(parse_duration("10\u00B5s"), Micros{10});
  EXPECT_EQ(parse_duration("10\u03BCs"), Micros{10});
  EXPECT_EQ(parse_duration("0s"), Micros{0});
}

TEST(Duration, JoinsUnitsLargestFirst) {
  EXPECT_EQ(parse_duration("1m30s"), Micros{90s});
  EXPECT_EQ(parse_duration("1h0m5s250ms"), Micros{3605s + 250ms});
  EXPECT_EQ(parse_duration("1.5h"), Micros{90min});
  EXPECT_EQ(parse_duration("0.1s"), Micros{100ms});
  EXPECT_FALSE(parse_duration("30s1m"));
  EXPECT_FALSE(parse_duration("1s1s"));
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* wrong : {"", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "5x", "5S", "1e3s", ".5s", "5.s", "1.2.3s",
                            "infs", "nans", "5sm", "99999999999999999999d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Duration, ShowsTheLargestUnitsFirst) {
  EXPECT_EQ(duration_text(90s), "1m30s");
  EXPECT_EQ(duration_text(250ms), "250ms");
  EXPECT_EQ(duration_text(720h), "30d");
  EXPECT_EQ(duration_text(Micros{0}), "0s");
  EXPECT_EQ(duration_text(Micros{1'000'001}), "1s1us");
  EXPECT_EQ(duration_text(-90s), "-1m30s");
}

TEST(Duration, ReadsBackWhatItShows) {
  for (const Micros value : {Micros{1}, Micros{999}, Micros{61s}, Micros{25h + 1ms}, Micros{8760h}}) {
    EXPECT_EQ(parse_duration(duration_text(value)), value);
  }
}

TEST(Age, IsOneOrTwoUnits) {
  EXPECT_EQ(age_text(3s), "3 s");
  EXPECT_EQ(age_text(130s), "2 min 10 s");
  EXPECT_EQ(age_text(5h), "5 h");
  EXPECT_EQ(age_text(5h + 3min + 20s), "5 h 3 min");
  EXPECT_EQ(age_text(50h), "2 d 2 h");
  EXPECT_EQ(age_text(250ms), "250 ms");
  EXPECT_EQ(age_text(Micros{0}), "0 s");
  EXPECT_EQ(age_text(-5s), "0 s");
}

}  // namespace
}  // namespace tidegate
