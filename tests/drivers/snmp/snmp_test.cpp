#include "drivers/snmp/snmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/snmp/support.h"

namespace tidegate::drivers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string kPoints =
    "points: [{name: count, oid: 1.3.6.1.4.1.99999.1.1.0}, {name: text, oid: 1.3.6.1.4.1.99999.1.2.0, kind: number, "
    "unit: °C}, {name: cold, oid: 1.3.6.1.4.1.99999.1.3.0, scale: 0.5, offset: 1}, "
    "{name: large, oid: 1.3.6.1.4.1.99999.1.4.0}, {name: ticks, oid: 1.3.6.1.4.1.99999.1.5.0}, "
    "{name: id, oid: 1.3.6.1.4.1.99999.1.6.0}, {name: mode, oid: 1.3.6.1.4.1.99999.1.8.0, enum: {1: idle, 2: "
    "heating}}, "
    "{name: word, oid: 1.3.6.1.4.1.99999.1.9.0}, {name: place, oid: sysLocation.0}, {name: up, oid: sysUpTime.0}]";

class SnmpVersions : public SnmpDriver, public testing::WithParamInterface<std::string> {};

TEST_P(SnmpVersions, ReadEveryTypeOfValue) {
  start(GetParam() + ", " + kPoints);
  ASSERT_TRUE(sink_.wait_for_samples("box/up", 2)) << told() << agent_.log();
  stop();
  EXPECT_EQ(told(), fmt::format("127.0.0.1:{}: 10 points, 0 tables", agent_.port()));
  EXPECT_EQ(value("box/count"), 4294967290.0);
  EXPECT_EQ(sink_.info("box/count")->kind, SeriesKind::counter);
  EXPECT_EQ(value("box/text"), 23.5);
  EXPECT_EQ(sink_.info("box/text")->unit, "°C");
  EXPECT_EQ(value("box/cold"), -19);
  EXPECT_EQ(value("box/large"), 4e9);
  EXPECT_EQ(value("box/ticks"), 123.45);
  EXPECT_EQ(sink_.last_label("box/id"), "1.3.6.1.4");
  EXPECT_EQ(sink_.last_label("box/mode"), "heating");
  EXPECT_EQ(sink_.last_label("box/word"), "on line");
  EXPECT_EQ(sink_.last_label("box/place"), "cabinet 4");
  EXPECT_EQ(sink_.info("box/up")->unit, "s");
  EXPECT_GT(value("box/up"), 0);
  EXPECT_LT(value("box/up"), 60);
  EXPECT_EQ(sink_.info("box/up")->expected_interval, Micros{100ms});
}

TEST_P(SnmpVersions, SayWhichObjectsThereAreNotAndReadTheOthers) {
  start(GetParam() +
        ", points: [{name: a, oid: 1.3.6.1.4.1.99999.7.0, kind: number}, {name: b, oid: 1.3.6.1.4.1.99999.1.3.0}, "
        "{name: c, oid: 1.3.6.1.4.1.99999.1.3.5, kind: number}, {name: d, oid: 1.3.6.1.4.1.99999.1.1.0}]");
  ASSERT_TRUE(sink_.wait_for_samples("box/b", 3)) << told();
  stop();
  EXPECT_EQ(value("box/b"), -40);
  EXPECT_EQ(value("box/d"), 4294967290.0) << "a counter, for which the uptime is asked for from the second reading on";
  EXPECT_EQ(sink_.last("box/a")->quality, Quality::bad);
  EXPECT_EQ(sink_.last("box/a")->reason, Reason::device_fault);
  EXPECT_EQ(sink_.last("box/c")->quality, Quality::bad);
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::degraded);
  EXPECT_THAT(told(), AllOf(HasSubstr("box/a: the agent has no such object"), HasSubstr("box/c: the agent has")));
}

TEST_P(SnmpVersions, ReadTablesByTheNamesOfTheirRows) {
  start(GetParam() + ", max_objects: 4, tables: [" + kTable + "]");
  ASSERT_TRUE(sink_.wait_for_samples("box/port/port_2_10/errors", 2)) << told();
  stop();
  EXPECT_THAT(sink_.names(),
              UnorderedElementsAre("box/port/port_1/load", "box/port/port_1/errors", "box/port/port_2/load",
                                   "box/port/port_2_10/load", "box/port/port_2_10/errors"));
  EXPECT_EQ(value("box/port/port_1/load"), 11);
  EXPECT_EQ(value("box/port/port_2/load"), 22);
  EXPECT_EQ(value("box/port/port_2_10/load"), 33);
  EXPECT_EQ(value("box/port/port_1/errors"), 100);
  EXPECT_EQ(sink_.info("box/port/port_1/errors")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up) << told();
}

INSTANTIATE_TEST_SUITE_P(
    All, SnmpVersions,
    testing::Values("version: 1", "version: 2c",
                    "version: 3, user: reader, auth: sha256, auth_password: auth secret, privacy: aes, "
                    "privacy_password: priv secret",
                    "version: 3, user: quiet, auth: sha, auth_password: auth secret"));

TEST_F(SnmpDriver, TwoPointsMayReadOneObject) {
  const std::string cold = "oid: 1.3.6.1.4.1.99999.1.3.0";
  start(fmt::format("points: [{{name: a, {0}}}, {{name: b, {0}, scale: 2}}]", cold));
  ASSERT_TRUE(sink_.wait_for_samples("box/b", 2)) << told();
  stop();
  EXPECT_EQ(value("box/a"), -40);
  EXPECT_EQ(value("box/b"), -80);
}

TEST_F(SnmpDriver, KnowsInterfacesWithoutAMib) {
  start(
      "tables: [{name: interface, rows: ifDescr, columns: [{name: received, oid: ifHCInOctets}, "
      "{name: status, oid: ifOperStatus}]}]");
  ASSERT_TRUE(sink_.wait_for_samples("box/interface/lo/received", 2)) << told();
  stop();
  EXPECT_EQ(sink_.info("box/interface/lo/received")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.info("box/interface/lo/received")->unit, "B");
  EXPECT_EQ(sink_.last_label("box/interface/lo/status"), "up");
}

TEST_F(SnmpDriver, ReadsOnlyTheRowsThatAreWanted) {
  start(
      "tables: [{name: port, rows: 1.3.6.1.4.1.99999.2.1.1, only: [Port/1], columns: [{name: load, oid: "
      "1.3.6.1.4.1.99999.2.1.2}]}, {name: raw, columns: [{name: load, oid: 1.3.6.1.4.1.99999.2.1.2}]}]");
  ASSERT_TRUE(sink_.wait_for_samples("box/raw/10/load", 1)) << told();
  stop();
  EXPECT_THAT(sink_.names(),
              UnorderedElementsAre("box/port/port_1/load", "box/raw/1/load", "box/raw/2/load", "box/raw/10/load"));
}

TEST_F(SnmpDriver, SaysThatATableIsNotThereOrTooLong) {
  start("max_rows: 2, tables: [{name: none, columns: [{name: a, oid: 1.3.6.1.4.1.99999.9}]}, " + kTable + "]");
  ASSERT_TRUE(sink_.wait_for_samples("box/port/port_2/load", 1)) << told();
  EXPECT_TRUE(says("box/none: the agent has no such table, or nothing in it"));
  EXPECT_TRUE(says("box/port: the table has more than 2 rows: see max_rows"));
}

TEST_F(SnmpDriver, RowsAndColumnsThatAreNotThereAreTold) {
  start(
      "tables: [{name: port, rows: 1.3.6.1.4.1.99999.2.1.1, only: [Port/1, Port/9], columns: [{name: load, oid: "
      "1.3.6.1.4.1.99999.2.1.2}, {name: heat, oid: 1.3.6.1.4.1.99999.2.1.9}]}]");
  ASSERT_TRUE(sink_.wait_for_words("box/port: there is no row 'Port/9'", SourceHealth::degraded)) << told();
  EXPECT_THAT(told(), HasSubstr("box/port: no row has the column 'heat'"));
  EXPECT_EQ(value("box/port/port_1/load"), 11);
}

TEST_F(SnmpDriver, ARowThatGoesTurnsBadOnceAndComesBack) {
  start("timeout: 200ms, points: [{name: cold, oid: 1.3.6.1.4.1.99999.1.3.0}], tables: [" + kTable + "]");
  ASSERT_TRUE(turns("box/port/port_1/load", Quality::good)) << told();
  agent_.set(kObjects);
  agent_.restart();
  ASSERT_TRUE(turns("box/port/port_1/load", Quality::bad)) << told();
  ASSERT_TRUE(says("box/port: the agent has no such table"));
  ASSERT_TRUE(turns("box/cold", Quality::good)) << told();
  const auto before = sink_.samples("box/port/port_1/load").size();
  ASSERT_TRUE(sink_.wait_for_samples("box/cold", sink_.samples("box/cold").size() + 5));
  EXPECT_EQ(sink_.samples("box/port/port_1/load").size(), before) << "it was told more than once";
  agent_.set(kObjects + kRows);
  agent_.restart();
  ASSERT_TRUE(turns("box/port/port_1/load", Quality::good)) << told();
}

// snmpInPkts counts what the agent is asked: a table of three rows and columns in one question, after the point's.
TEST_F(SnmpDriver, ATableIsAskedForInFewQuestions) {
  for (const auto& [version, questions] : {std::pair("2c", 2), std::pair("1", 5)}) {
    start(
        fmt::format("version: {}, points: [{{name: asked, oid: 1.3.6.1.2.1.11.1.0}}], tables: [{}]", version, kTable));
    ASSERT_TRUE(sink_.wait_for_samples("box/asked", sink_.samples("box/asked").size() + 6)) << told();
    stop();
    const auto samples = sink_.samples("box/asked");
    EXPECT_EQ(samples.back().value - samples[samples.size() - 2].value, questions) << version;
  }
}

TEST_F(SnmpDriver, AsksForLessWhereTheAnswerIsTooBig) {
  std::string lines = "[snmp] sendMessageMaxSize 600\n", points;
  for (int i = 1; i <= 10; ++i) {
    lines += fmt::format("override 1.3.6.1.4.1.99999.3.{}.0 octet_str \"{}{}\"\n", i, std::string(100, 'x'), i);
    points += fmt::format("{{name: p{}, oid: 1.3.6.1.4.1.99999.3.{}.0}},", i, i);
  }
  agent_.set(lines);
  for (const char* version : {"1", "2c"}) {
    agent_.restart();
    start(fmt::format(
        "version: {}, points: [{}], tables: [{{name: t, columns: [{{name: c, oid: 1.3.6.1.4.1.99999.3}}]}}]", version,
        points));
    const auto before = sink_.samples("box/p10").size();
    ASSERT_TRUE(sink_.wait_for_samples("box/p10", before + 2)) << told();
    EXPECT_EQ(sink_.last_label("box/p10"), std::string(100, 'x') + "10");
    EXPECT_EQ(sink_.last_label("box/t/7.0/c"), std::string(100, 'x') + "7");
    EXPECT_EQ(sink_.reports().back().health, SourceHealth::up) << told();
    stop();
  }
}

class SnmpFaults : public SnmpDriver, public testing::WithParamInterface<std::string> {};

TEST_P(SnmpFaults, AnAgentThatIsKilledIsDownAndComesBackByItself) {
  start(GetParam() + ", timeout: 200ms, points: [{name: cold, oid: 1.3.6.1.4.1.99999.1.3.0}]");
  ASSERT_TRUE(turns("box/cold", Quality::good)) << told();
  agent_.kill();
  ASSERT_TRUE(turns("box/cold", Quality::bad));
  EXPECT_EQ(sink_.last("box/cold")->reason, Reason::no_answer);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_THAT(told(), HasSubstr("does not answer within 200 ms, 2 times"));
  agent_.start();
  ASSERT_TRUE(turns("box/cold", Quality::good)) << told();
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
}

TEST_P(SnmpFaults, AnAgentThatHangsDelaysAStopByLittle) {
  start(GetParam() + ", timeout: 10s, points: [{name: cold, oid: 1.3.6.1.4.1.99999.1.3.0}]");
  ASSERT_TRUE(turns("box/cold", Quality::good)) << told();
  agent_.pause();
  std::this_thread::sleep_for(300ms);
  const auto begun = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  agent_.go_on();
}

INSTANTIATE_TEST_SUITE_P(All, SnmpFaults,
                         testing::Values("version: 1", "version: 2c",
                                         "version: 3, user: reader, auth: sha256, auth_password: auth secret, "
                                         "privacy: aes, privacy_password: priv secret"));

TEST_F(SnmpDriver, WhoIsRefusedIsToldWhy) {
  const std::string kPoint = ", points: [{name: cold, oid: 1.3.6.1.4.1.99999.1.3.0}]";
  for (const auto& [access, why] : std::vector<std::pair<std::string, std::string>>{
           {"version: 3, user: nobody, auth: sha, auth_password: auth secret", "knows no user 'nobody'"},
           {"version: 3, user: reader, auth: sha256, auth_password: wrong secret", "refuses auth or auth_password"},
           {"version: 3, user: reader, auth: sha256, auth_password: auth secret", "authorizationError"},
           {"version: 3, user: reader", "a user of version 3 may need auth, or privacy too"},
           {"version: 3, timeout: 100ms, user: reader, auth: sha256, auth_password: auth secret, privacy: aes, "
            "privacy_password: wrong "
            "secret",
            "is privacy_password right?"},
           {"version: 2c, timeout: 100ms, community: private", "is the community right?"}}) {
    start(access + kPoint);
    EXPECT_TRUE(says(why)) << access << ": " << told();
    stop();
  }
  // And the right one afterwards: nothing of the wrong ones is kept.
  start(
      "version: 3, user: reader, auth: sha256, auth_password: auth secret, privacy: aes, privacy_password: priv "
      "secret" +
      kPoint);
  EXPECT_TRUE(turns("box/cold", Quality::good)) << told();
}

TEST_F(SnmpDriver, SourcesWithUsersOfTheirOwnDoNotDisturbEachOther) {
  const std::vector<std::string> accesses = {
      "version: 3, user: reader, auth: sha256, auth_password: auth secret, privacy: aes, privacy_password: priv secret",
      "version: 3, user: quiet, auth: sha, auth_password: auth secret", "version: 2c", "version: 1"};
  test::Snmpd other(kObjects);
  std::vector<std::unique_ptr<Driver>> drivers;
  std::vector<std::unique_ptr<fakes::FakeSink>> sinks;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < 12; ++i) {
    std::string why;
    const int port = (i < 6 ? agent_ : other).port();
    drivers.push_back(test::make_driver(fmt::format("{{name: box, type: snmp, host: localhost, port: {}, every: 100ms, "
                                                    "timeout: 10s, {}, points: [{{name: cold, oid: "
                                                    "1.3.6.1.4.1.99999.1.3.0}}]}}",
                                                    port, accesses[i % accesses.size()]),
                                        clock_, metrics_, why));
    ASSERT_NE(drivers.back(), nullptr) << why;
    sinks.push_back(std::make_unique<fakes::FakeSink>());
    threads.emplace_back([&driver = *drivers.back(), &sink = *sinks.back()](std::stop_token stop) {
      EXPECT_TRUE(driver.run(sink, stop));
    });
  }
  for (const auto& sink : sinks) EXPECT_TRUE(sink->wait_for_samples("box/cold", 10));
  threads.clear();
  for (const auto& sink : sinks) {
    for (const Sample& sample : sink->samples()) EXPECT_EQ(sample.quality, Quality::good);
  }
}

TEST_F(SnmpDriver, PrintsNothing) {
  testing::internal::CaptureStderr();
  start("version: 3, user: nobody, timeout: 100ms, auth: sha, auth_password: auth secret, " + kPoints);
  const bool said = says("nobody");
  stop();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(said) << told();
}

TEST(SnmpOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  const std::string points = "points: [{name: a, oid: sysUpTime.0}]";
  for (const auto& [options, expected] : std::vector<std::pair<std::string, std::string>>{
           {"every: 1s", "nothing is read"},
           {"points: [{name: a, oid: ifInOctet.1}]", "did you mean 'ifInOctets'?"},
           {"points: [{name: 'a#', oid: 1.3.6.1}]", "series' name"},
           {"tables: [{name: a, columns: []}]", "nothing to read"},
           {"tables: [{name: a, rows: nowhere, columns: [{name: b, oid: ifMtu}]}]", "nowhere"},
           {"user: me, " + points, "user is of version: 3"},
           {"version: 3, " + points, "needs a user"},
           {"version: 3, user: me, community: c, " + points, "no community"},
           {"version: 3, user: me, auth: sha, " + points, "auth needs auth_password"},
           {"version: 3, user: me, auth: sha, auth_password: short, " + points, "less than 8"},
           {"version: 3, user: me, auth_password: long enough, " + points, "of no use without auth"},
           {"version: 3, user: me, privacy: aes, privacy_password: long enough, " + points, "privacy needs auth"},
           {"timeout: 60s, " + points, "10s"},
           {"prefix: 'a//b', " + points, "prefix"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, type: snmp, host: h, " + options + "}", clock, metrics, why), nullptr)
        << options;
    EXPECT_THAT(why, AllOf(HasSubstr("test.yaml:1:"), HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace tidegate::drivers
