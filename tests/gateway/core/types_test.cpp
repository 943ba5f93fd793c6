#include "gateway/core/types.h"

#include <gtest/gtest.h>

#include "gateway/core/event.h"

namespace tidegate {
namespace {

TEST(SeriesName, IsAPathOfLevels) {
  for (const char* fine : {"a", "boiler1/temperature", "hall 3/zone-1/Ölstand", "温度", "a.b:c"}) {
    EXPECT_TRUE(valid_series_name(fine)) << fine;
  }
}

TEST(SeriesName, HasNoEmptyLevelNoWildcardAndNoControls) {
  for (const char* wrong : {"", "/", "/a", "a/", "a//b", "a+b", "#", "{device}/t", "a\nb", "a\x7f",
                            "a\xC2\x85"
                            "b"}) {
    EXPECT_FALSE(valid_series_name(wrong)) << wrong;
  }
}

TEST(SeriesName, IsWellFormedUtf8OfAtMost255Bytes) {
  EXPECT_FALSE(valid_series_name("a\xff"));
  EXPECT_TRUE(valid_series_name(std::string(255, 'a')));
  EXPECT_FALSE(valid_series_name(std::string(256, 'a')));
}

TEST(Names, OfEveryEnumeratorReadBack) {
  for (const auto severity : {Severity::info, Severity::warning, Severity::high, Severity::critical}) {
    EXPECT_EQ(severity_from(name(severity)), severity);
  }
  for (const auto phase : {Phase::normal, Phase::pending, Phase::active, Phase::clearing, Phase::returned}) {
    EXPECT_EQ(phase_from(name(phase)), phase);
  }
  for (const auto health :
       {SourceHealth::starting, SourceHealth::up, SourceHealth::degraded, SourceHealth::down, SourceHealth::stopped}) {
    EXPECT_EQ(health_from(name(health)), health);
  }
  EXPECT_FALSE(severity_from("severe"));
  EXPECT_FALSE(phase_from("Active"));
  EXPECT_FALSE(health_from(""));
}

TEST(Names, OfQualitiesReasonsAndKindsAreTheWordsOfTheApi) {
  EXPECT_EQ(name(Quality::uncertain), "uncertain");
  EXPECT_EQ(name(Reason::not_a_number), "not_a_number");
  EXPECT_EQ(name(Reason::clock), "clock");
  EXPECT_EQ(name(SeriesKind::state), "state");
}

}  // namespace
}  // namespace tidegate
