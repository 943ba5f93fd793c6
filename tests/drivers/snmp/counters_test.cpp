// Counters of 32 bits go on where they wrap, and begin anew with the agent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/counter_steps.h"
#include "tests/drivers/snmp/support.h"

namespace tidegate::drivers {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

// Counters of ifInOctets' kind: a scalar, and a table whose first column names the rows ("": none).
std::string counted(std::uint32_t scalar, const std::vector<std::pair<std::string, std::uint32_t>>& rows) {
  std::string names, counts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].first.empty()) continue;
    names += fmt::format("{}.2.1.{} string {}\n", test::Snmpd::kCounted, i + 1, rows[i].first);
    counts += fmt::format("{}.2.2.{} counter {}\n", test::Snmpd::kCounted, i + 1, rows[i].second);
  }
  return fmt::format("{}.1.0 counter {}\n", test::Snmpd::kCounted, scalar) + names + counts;
}
constexpr double kRange = 4294967296.0;

class SnmpCounters : public SnmpDriver, public testing::WithParamInterface<std::string> {
 protected:
  void start(const std::string& access) {
    SnmpDriver::start(
        access +
        ", timeout: 300ms, points: [{name: count, oid: 1.3.6.1.4.1.99999.5.1.0}, "
        "{name: shown, oid: 1.3.6.1.4.1.99999.5.1.0, kind: number}, "
        "{name: calm, oid: 1.3.6.1.4.1.99999.5.1.0, scale: 0.5, report: {deadband: 1000, at_least: 1h}}, "
        "{name: up, oid: 1.3.6.1.2.1.1.3.0}], tables: [{name: port, rows: 1.3.6.1.4.1.99999.5.2.1, columns: "
        "[{name: in, oid: 1.3.6.1.4.1.99999.5.2.2}]}]");
  }
  void say(std::uint32_t scalar, const std::vector<std::pair<std::string, std::uint32_t>>& rows) {
    agent_.count(counted(scalar, rows));
  }
  bool comes(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && last->value == value;
    });
  }
  // The first answer tells that there is a Counter32: the uptime is asked for after it.
  bool is_read_again() { return sink_.wait_for_samples("box/count", sink_.samples("box/count").size() + 3); }
  std::string last(const std::string& name) const {
    const auto sample = sink_.last(name);
    return sample ? fmt::format("{}: {}", name, sample->value) : name + ": nothing";
  }
  // What it is seen to have counted, as rules do it.
  double counted_by(const std::string& name) const {
    rules::Steps all;
    for (const Sample& sample : sink_.samples(name)) {
      if (sample.quality == Quality::bad) continue;
      all = rules::merged(all, rules::Steps::of(sample.time, sample.value));
    }
    return all.counted;
  }
  std::vector<double> values(const std::string& name) const {
    std::vector<double> all;
    for (const Sample& sample : sink_.samples(name)) all.push_back(sample.value);
    return all;
  }
  // No two at a time, each after the one before.
  bool in_order(const std::string& name) const {
    const std::vector<Sample> all = sink_.samples(name);
    return std::adjacent_find(all.begin(), all.end(),
                              [](const Sample& one, const Sample& next) { return next.time <= one.time; }) == all.end();
  }
};

TEST_P(SnmpCounters, AreAtTheirRangeWhereTheyWrap) {
  say(4294967290, {{"a", 4294967000}, {"b", 7}});
  start(GetParam());
  ASSERT_TRUE(comes("box/port/b/in", 7)) << told() << agent_.log();
  ASSERT_TRUE(is_read_again());
  for (int turn = 1; turn <= 2; ++turn) {
    say(5, {{"a", 100}, {"b", 8}});
    EXPECT_TRUE(comes("box/port/a/in", 100)) << last("box/port/a/in");
    EXPECT_EQ(counted_by("box/count"), (turn - 1) * kRange + 11);
    EXPECT_EQ(counted_by("box/port/a/in"), (turn - 1) * kRange + 396);
    say(4294967290, {{"a", 4294967000}, {"b", 8}});
    EXPECT_TRUE(comes("box/port/a/in", 4294967000)) << last("box/port/a/in");
    EXPECT_EQ(counted_by("box/count"), turn * kRange);
    EXPECT_EQ(counted_by("box/port/a/in"), turn * kRange);
  }
  stop();
  EXPECT_TRUE(in_order("box/count"));
  EXPECT_TRUE(in_order("box/port/a/in"));
  EXPECT_EQ(value("box/count"), 4294967290.0);
  EXPECT_EQ(counted_by("box/port/b/in"), 1);
  EXPECT_THAT(values("box/calm"),
              ElementsAre(4294967290 / 2.0, kRange / 2, 2.5, 4294967290 / 2.0, kRange / 2, 2.5, 4294967290 / 2.0))
      << "what is left out otherwise is not here, and scaled like the others";
  EXPECT_THAT(values("box/shown"), Not(Contains(kRange))) << "what is told to be no counter is as the agent says it";
  EXPECT_EQ(sink_.info("box/count")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up) << told();
}

TEST_P(SnmpCounters, BeginAnewWithTheAgent) {
  say(4294967290, {{"a", 4294967000}});
  start(GetParam());
  ASSERT_TRUE(comes("box/port/a/in", 4294967000)) << told() << agent_.log();
  // Until then its next start would be as good as the same.
  ASSERT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.last("box/up")->value > 4; }));
  agent_.kill();
  say(5, {{"a", 100}});
  agent_.start();
  EXPECT_TRUE(comes("box/count", 5)) << last("box/count");
  EXPECT_TRUE(comes("box/port/a/in", 100)) << last("box/port/a/in");
  EXPECT_EQ(counted_by("box/port/a/in"), 100);
  EXPECT_EQ(counted_by("box/count"), 5);
}

TEST_P(SnmpCounters, AreAtTheirRangeAfterReadsThatFailed) {
  say(4294967290, {{"a", 4294967000}});
  start(GetParam());
  ASSERT_TRUE(comes("box/port/a/in", 4294967000)) << told() << agent_.log();
  ASSERT_TRUE(is_read_again());
  agent_.pause();
  ASSERT_TRUE(turns("box/count", Quality::bad));
  say(5, {{"a", 100}});
  agent_.go_on();
  EXPECT_TRUE(comes("box/count", 5)) << last("box/count");
  EXPECT_TRUE(comes("box/port/a/in", 100)) << last("box/port/a/in");
  EXPECT_EQ(counted_by("box/count"), 11);
  EXPECT_EQ(counted_by("box/port/a/in"), 396);
  EXPECT_TRUE(in_order("box/count")) << "bad ones too";
  EXPECT_TRUE(in_order("box/port/a/in"));
}

TEST_P(SnmpCounters, OfAnotherRowByTheSameNameBeginAnew) {
  say(1, {{"a", 4294967000}});
  start(GetParam());
  ASSERT_TRUE(comes("box/port/a/in", 4294967000)) << told() << agent_.log();
  ASSERT_TRUE(is_read_again());
  say(1, {{"", 0}, {"a", 100}});
  EXPECT_TRUE(comes("box/port/a/in", 100)) << last("box/port/a/in");
  EXPECT_EQ(counted_by("box/port/a/in"), 100);
}

TEST_P(SnmpCounters, OfAnAgentThatHidesItsUptimeAreAsItSaysThem) {
  agent_.set("view counted included .1.3.6.1.4.1.99999\nrocommunity hidden 127.0.0.1 -V counted\n");
  agent_.restart();
  say(4294967290, {{"a", 4294967000}});
  start(GetParam() + ", community: hidden");
  ASSERT_TRUE(comes("box/port/a/in", 4294967000)) << told() << agent_.log();
  ASSERT_TRUE(is_read_again());
  say(5, {{"a", 100}});
  EXPECT_TRUE(comes("box/count", 5)) << last("box/count");
  EXPECT_TRUE(comes("box/port/a/in", 100)) << last("box/port/a/in");
  EXPECT_EQ(counted_by("box/port/a/in"), 100);
  EXPECT_EQ(counted_by("box/count"), 5);
  EXPECT_EQ(sink_.last("box/up")->quality, Quality::bad) << "it is hidden";
}

INSTANTIATE_TEST_SUITE_P(All, SnmpCounters, testing::Values("version: 1, max_objects: 1", "version: 2c"));

}  // namespace
}  // namespace tidegate::drivers
