#include "gateway/app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/app/parts.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Everything that `tidegate check` would say of this file.
std::string problems_of(std::string_view yaml) {
  const test::TempDir directory;
  config::Problems problems;
  const Settings settings = load_settings(directory.write("tidegate.yaml", yaml), problems);
  try_parts(settings, problems);
  return problems.text();
}

TEST(Settings, AnEmptyFileIsAGatewayWithoutSources) {
  const test::TempDir directory;
  config::Problems problems;
  const Settings settings = load_settings(directory.write("tidegate.yaml", "{}\n"), problems);
  EXPECT_EQ(problems.text(), "");
  EXPECT_EQ(settings.listen, "0.0.0.0:8080");
  EXPECT_EQ(settings.commit_every, 200ms);
  EXPECT_EQ(settings.storage.max_bytes + settings.storage.max_history_bytes, 1u << 30);
  EXPECT_EQ(settings.storage.retention, 30 * 24h);
  EXPECT_FALSE(settings.name.empty());
  EXPECT_EQ(settings.max_streams_per_address, 16u);
}

TEST(Settings, SnapshotsHaveASixteenthOfTheStoreAtMost) {
  const test::TempDir directory;
  config::Problems problems;
  const auto most = [&](const char* yaml) {
    return load_settings(directory.write("tidegate.yaml", yaml), problems).storage.max_snapshot_bytes;
  };
  EXPECT_EQ(most("{}\n"), 16u << 20);
  EXPECT_EQ(most("storage: {max_size: 16MiB}\n"), 1u << 20);
  EXPECT_EQ(most("storage: {max_snapshots: 64MiB}\n"), 64u << 20);
  EXPECT_EQ(problems.text(), "");
  EXPECT_THAT(problems_of("storage: {max_size: 16MiB, max_snapshots: 2MiB}\n"),
              HasSubstr(":1:43: at most a sixteenth of max_size may be for snapshots: of 16MiB that is 1048576B"));
}

TEST(Settings, TheStoreIsFoundWhateverElseIsWrong) {
  const test::TempDir directory;
  const auto file =
      directory.write("tidegate.yaml", "storage: {path: store}\nrulse: []\nsources: [{type: nonsense}]\n");
  EXPECT_EQ(load_storage_path(file).value_or(""), directory / "store");
  EXPECT_EQ(load_storage_path(directory.write("empty.yaml", "{}\n")).value_or(""), "/var/lib/tidegate");
  EXPECT_FALSE(load_storage_path(directory.write("refused.yaml", "storage: {path: yes}\n"))) << "yes: text or true?";
  const auto missing = load_storage_path(directory / "missing.yaml");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().text, HasSubstr("missing.yaml"));
  EXPECT_THAT(missing.error().text, HasSubstr("--data FOLDER"));
}

TEST(Settings, WhatARulePublishesHasAnUplink) {
  const std::string rule =
      "rules: [{name: hot, series: t, threshold: {above: 1}, publish: [{to: lamps, topic: l, raised: \"1\"}]}]\n";
  const auto with = [&](const std::string& uplink) { return problems_of(rule + "uplinks: [" + uplink + "]\n"); };
  EXPECT_EQ(with("{name: lamps, type: mqtt_messages, broker: \"mqtt://127.0.0.1\"}"), "");
  EXPECT_EQ(with("{name: lamps, type: mqtt_messages, enabled: false, broker: \"mqtt://127.0.0.1\"}"), "");
  EXPECT_THAT(with("{name: lamp, type: mqtt_messages, broker: \"mqtt://127.0.0.1\"}"),
              HasSubstr("tidegate.yaml:1:70: there is no uplink 'lamps' (did you mean 'lamp'?)"));
  EXPECT_THAT(with("{name: lamps, type: mqtt, broker: \"mqtt://127.0.0.1\"}"),
              HasSubstr("uplink 'lamps' is of type mqtt: what a rule publishes goes to one of type mqtt_messages"));
}

TEST(Settings, WhatARuleWritesIsAPointThatMayBeSetAndTakesIt) {
  const auto with = [&](const std::string& write, const std::string& more = "") {
    return problems_of(
        "rules: [{name: full, series: \"{tank}/level\", threshold: {above: 95}, write: [" + write + "]" + more +
        "}]\n"
        "sources:\n"
        "  - {name: plc, type: modbus, tcp: 127.0.0.1, devices: [{name: t1, unit: 1, points: [\n"
        "      {name: valve, coil: 1, writable: {}}, {name: limit, holding: 2, writable: {min: 40, max: 75}},\n"
        "      {name: mode, holding: 3, enum: {0: stop, 1: run}, writable: {}}, {name: fixed, coil: 2}]}]}\n");
  };
  EXPECT_EQ(with("{point: \"{tank}/valve\", raised: \"off\", cleared: \"on\"}"), "");
  EXPECT_EQ(with("{point: t1/limit, raised: 62}, {point: t1/mode, raised: stop}"), "");
  EXPECT_THAT(with("{point: t1/limit, raised: 62.5}"),
              HasSubstr("t1/limit: 62.5 lies between two values that it takes, 62 and 63"));
  EXPECT_THAT(with("{point: \"{tank}/valv\", raised: \"off\"}"),
              HasSubstr("tidegate.yaml:1:86: no enabled source has a point '{tank}/valv' that may be set"));
  EXPECT_THAT(with("{point: t1/valv, raised: \"off\"}"), HasSubstr("(did you mean 't1/valve'?)"));
  EXPECT_THAT(with("{point: t1/fixed, raised: \"off\"}"), HasSubstr("no enabled source has a point 't1/fixed'"));
  EXPECT_THAT(with("{point: \"{tank}/limit\", raised: 80}"),
              HasSubstr("tidegate.yaml:1:110: t1/limit: 80 is not within 40 and 75"));
  EXPECT_THAT(with("{point: t1/limit, cleared: much}"), HasSubstr("t1/limit: 'much' is no number"));
  EXPECT_THAT(with("{point: t1/limit, cleared: \"nan\"}"), HasSubstr("t1/limit: 'nan' is no number"));
  EXPECT_THAT(with("{point: t1/valve, cleared: ajar}"), HasSubstr("t1/valve: 'ajar' is none of on and off"));
  EXPECT_THAT(with("{point: t1/mode, acknowledged: walk}"), HasSubstr("t1/mode: 'walk' is none of stop, run"));
  EXPECT_EQ(with("{point: t1/none, raised: 1}", ", enabled: false"), "")
      << "one that is off keeps nobody from starting";
}

TEST(Settings, APointThatMayBeSetIsOfOneSourceAlone) {
  const std::string plc = ", type: modbus, tcp: 127.0.0.1, devices: [{name: t1, unit: 1, points: [";
  EXPECT_EQ(problems_of("sources:\n  - {name: a" + plc + "{name: valve, coil: 1, writable: {}}]}]}\n  - {name: b" +
                        plc + "{name: pump, coil: 1, writable: {}}]}]}\n"),
            "");
  EXPECT_THAT(problems_of("sources:\n  - {name: a" + plc + "{name: valve, coil: 1, writable: {}}]}]}\n  - {name: b" +
                          plc + "{name: valve, coil: 2, writable: {}}]}]}\n"),
              HasSubstr("tidegate.yaml:3:5: its point 't1/valve' may be set, and one of source 'a' of that name too"));
}

TEST(Settings, NoUplinkIsCalledWhatTheGatewayCallsTheOneOfItsPoints) {
  EXPECT_THAT(problems_of("uplinks: [{name: points, type: mqtt, broker: \"mqtt://127.0.0.1\"}]\n"),
              HasSubstr(":1:18: 'points' is what sets the points that rules write: name the uplink otherwise"));
}

TEST(Settings, AnAddressMayHaveMoreStreams) {
  const test::TempDir directory;
  config::Problems problems;
  const auto file = directory.write("tidegate.yaml", "http: {max_streams: 200, max_streams_per_address: 200}\n");
  EXPECT_EQ(load_settings(file, problems).max_streams_per_address, 200u);
  EXPECT_EQ(problems.text(), "");
}

TEST(Settings, ASourceNameUsedTwiceNamesBothPlaces) {
  EXPECT_THAT(problems_of("sources:\n"
                          "  - {name: a, type: self}\n"
                          "  - {name: a, type: self}\n"),
              testing::AllOf(HasSubstr(":3:"), HasSubstr("another source is called 'a' already"), HasSubstr("yaml:2")));
}

TEST(Settings, ADisabledSourceIsCheckedAndNotStarted) {
  const test::TempDir directory;
  config::Problems problems;
  const auto file = directory.write("tidegate.yaml", "sources: [{name: a, type: self, enabled: false}]\n");
  EXPECT_TRUE(load_settings(file, problems).sources.empty());
  EXPECT_EQ(problems.text(), "");
  EXPECT_THAT(problems_of("sources: [{name: a, type: self, enabled: false, evry: 5s}]\n"), HasSubstr("evry"));
}

TEST(Settings, AMisspeltSectionNamesTheNearest) {
  EXPECT_THAT(problems_of("sorces: []\n"), HasSubstr("sources"));
  EXPECT_THAT(problems_of("storage: {max_size: 64}\n"), HasSubstr(":1:"));
}

TEST(Settings, EveryPartIsLookedAtHoweverWrongTheOthersAre) {
  const std::string problems = problems_of(
      "gateway: {nam: x}\n"
      "sources:\n"
      "  - {name: a, type: mqtt, broker: \"mqtt://x\", subscriptions: []}\n"
      "  - {name: b, type: mqt}\n"
      "  - {name: b, type: self}\n"
      "rules:\n"
      "  - {name: hot, series: a/b, threshold: {above: 1, clear_below: 2}}\n"
      "  - {name: hot, series: a/b, threshold: {above: 1}, fro: 5s}\n"
      "  - {name: hot, series: a/b, absence: {for: 1m}}\n"
      "uplinks:\n"
      "  - {name: u, type: mqtt, broker: \"mqtt://x\", topic: \"{nonsense}\"}\n");
  for (const char* place : {"yaml:1:", "yaml:3:", "yaml:4:", "yaml:5:", "yaml:7:", "yaml:8:", "yaml:9:", "yaml:11:"})
    EXPECT_THAT(problems, HasSubstr(place)) << problems;
}

TEST(Settings, AGatewaysNameThatMakesNoTopicIsAProblemOfTheUplinkThatUsesIt) {
  const std::string uplink = "uplinks:\n  - {name: u, type: mqtt, broker: \"mqtt://x\"";
  for (const char* name : {"hall#3", "a+b"}) {
    const std::string gateway = std::string("gateway: {name: \"") + name + "\"}\n";
    EXPECT_THAT(problems_of(gateway + uplink + "}\n"),
                testing::AllOf(HasSubstr(":3:"), HasSubstr(std::string("'tidegate/") + name + "' is not a topic")));
    EXPECT_EQ(problems_of(gateway + uplink + ", topic: site}\n"), "");
  }
}

TEST(Settings, ASectionOfTheWrongKindIsAProblemAndNoMore) {
  for (const char* section : {"rules", "sources", "uplinks"}) {
    for (const char* value : {"5", "{a: b}", "[5]", "[[]]", "[null]", "[{name: 5}]", "[{name: [a]}]", "[{publish: 5}]",
                              "[{publish: [5]}]", "[{publish: [{to: [a]}]}]"}) {
      EXPECT_THAT(problems_of(std::string(section) + ": " + value + "\n"), HasSubstr(":1:")) << section << value;
    }
  }
}

TEST(Settings, ANameThatIsASecretIsNotRepeated) {
  ::setenv("TIDEGATE_TEST_CANARY", "canary", 1);
  EXPECT_THAT(problems_of("sources:\n"
                          "  - {name: !env TIDEGATE_TEST_CANARY, type: self}\n"
                          "  - {name: !env TIDEGATE_TEST_CANARY, type: self}\n"),
              testing::AllOf(HasSubstr(":3:"), testing::Not(HasSubstr("canary"))));
}

TEST(Settings, RelativePathsStartAtTheFolderOfTheMainFile) {
  const test::TempDir directory;
  const std::string folder = directory.path().string();
  directory.write("ca.pem", "");
  std::filesystem::create_directory(directory / "conf.d");
  directory.write("conf.d/more.yaml",
                  "storage: {path: ./data}\n"
                  "sources:\n"
                  "  - {name: host, type: host, root: roots/a}\n"
                  "uplinks:\n"
                  "  - {name: cloud, type: mqtt, broker: \"mqtts://cloud\", tls: {ca: ca.pem, key: no-such.pem}}\n");
  config::Problems problems;
  const Settings settings = load_settings(directory.write("tidegate.yaml", "{}\n"), problems);
  EXPECT_EQ(problems.text(), "");
  EXPECT_EQ(settings.storage.directory, folder + "/data");
  EXPECT_EQ(settings.sources.at(0).string("root"), folder + "/roots/a");
  EXPECT_EQ(settings.uplinks.at(0)["tls"].string("ca"), folder + "/ca.pem");
  try_parts(settings, problems);
  EXPECT_THAT(problems.text(), HasSubstr("cannot read " + folder + "/no-such.pem"));
  EXPECT_THAT(problems.text(), Not(HasSubstr("/ca.pem")));
  EXPECT_THAT(problems_of("storage: {path: /srv/tidegate}\n"), "");
  EXPECT_THAT(problems_of("storage: {path: \"\"}\n"), HasSubstr("'path' must be a path, not ''"));
}

/// tidegate.yaml with a rule, and a storage folder `data` beside it.
struct Edited {
  Edited() { std::filesystem::create_directory(directory / "data"); }
  Settings load(const Reading& reading = {}) {
    problems = {};
    return load_settings(directory.write("tidegate.yaml",
                                         "storage: {path: data}\n"
                                         "rules: [{name: written, series: a/b, absence: {for: 1s}}]\n"),
                         problems, reading);
  }
  const test::TempDir directory;
  config::Problems problems;
};

const std::string kEdited = "rules: [{name: edited, series: a/b, absence: {for: 1s}}]\n";

TEST(EditedRules, StandInTheStorageFolderAndComeLast) {
  Edited edited;
  EXPECT_EQ(edited.load().rules.items.size(), 1u);
  edited.directory.write("data/rules.yaml", kEdited);
  const Settings settings = edited.load();
  EXPECT_EQ(edited.problems.text(), "");
  ASSERT_EQ(settings.rules.items.size(), 2u);
  EXPECT_EQ(shown_file(settings, settings.rules.items[0].at), "tidegate.yaml");
  EXPECT_FALSE(is_edited(settings, settings.rules.items[0].at));
  EXPECT_EQ(shown_file(settings, settings.rules.items[1].at), "rules.yaml");
  EXPECT_TRUE(is_edited(settings, settings.rules.items[1].at));
  EXPECT_EQ(settings.texts.at(kRulesText), kEdited);
  const test::TempDir other;
  EXPECT_EQ(edited.load({.data = other.path()}).rules.items.size(), 1u) << "--data names another folder";
}

TEST(EditedRules, HoldNothingElseAndNoReference) {
  Edited edited;
  ::setenv("TIDEGATE_TEST_CANARY", "canary", 1);
  edited.directory.write(
      "data/rules.yaml",
      "sources: []\n"
      "rules: [{name: written, series: a/b, absence: {for: 1s}, message: !env TIDEGATE_TEST_CANARY}]\n");
  const Settings settings = edited.load();
  try_parts(settings, edited.problems);
  const std::string problems = edited.problems.text();
  EXPECT_THAT(problems, HasSubstr("data/rules.yaml:1:1: 'sources' does not belong here"));
  EXPECT_THAT(problems, HasSubstr("data/rules.yaml:2:67: !env cannot stand here"));
  EXPECT_THAT(problems, HasSubstr("rule name 'written' is taken by"));
  EXPECT_THAT(problems, testing::Not(HasSubstr("canary")));
}

TEST(EditedRules, OneThatIsOffIsAsIfDisabledAndKeepsItsVersion) {
  Edited edited;
  edited.directory.write("data/rules.yaml", kEdited);
  config::Problems none;
  const std::string version = try_parts(edited.load(), none).rules.at(1).version;
  const std::string text =
      rules_off_text({{"edited", "ada \"the\" boss", Timestamp{std::chrono::seconds(1'700'000'000)}, "why: it\nhowls"},
                      {"gone", "bob", {}, ""}});
  edited.directory.write("data/rules-off.yaml", text);
  const Settings settings = edited.load();
  EXPECT_EQ(edited.problems.text(), "");
  const Parts parts = try_parts(settings, none);
  EXPECT_EQ(parts.rules.size(), 1u);
  ASSERT_EQ(parts.rule_views.size(), 2u);
  const auto& off = parts.rule_views[1];
  ASSERT_TRUE(off.off);
  EXPECT_EQ(off.off->who, "ada \"the\" boss");
  EXPECT_EQ(off.off->note, "why: it\nhowls");
  EXPECT_EQ(off.version, version);
  EXPECT_TRUE(off.enabled);
  ASSERT_EQ(settings.notices.size(), 1u);
  EXPECT_THAT(settings.notices[0], HasSubstr("there is no rule 'gone' any more"));
}

TEST(EditedRules, AFileOfThoseThatAreOffThatIsDamagedTurnsNothingOff) {
  Edited edited;
  edited.directory.write("data/rules-off.yaml", "rules_off: [{name: written\n");
  const Settings settings = edited.load();
  EXPECT_EQ(edited.problems.text(), "");
  EXPECT_EQ(settings.rules.items.at(0).string("enabled"), "true");
  ASSERT_FALSE(settings.notices.empty());
  EXPECT_THAT(settings.notices[0], HasSubstr("rules-off.yaml:"));
}

TEST(EditedRules, WhatCannotBeReadIsAProblemOfTheGatewayAndANoticeToAGuest) {
  Edited edited;
  std::filesystem::create_directory(edited.directory / "data/rules.yaml");
  edited.load();
  EXPECT_THAT(edited.problems.text(), HasSubstr("it is not a regular file"));
  const Settings settings = edited.load({.as_guest = true});
  EXPECT_EQ(edited.problems.text(), "");
  EXPECT_EQ(settings.rules.items.size(), 1u);
  ASSERT_EQ(settings.notices.size(), 1u);
  EXPECT_THAT(settings.notices[0], HasSubstr("is left out here"));
}

TEST(Settings, AnAddressNeedsAPort) {
  EXPECT_THAT(problems_of("http: {listen: \"127.0.0.1\"}\n"), HasSubstr("127.0.0.1:8080"));
  EXPECT_EQ(problems_of("http: {listen: \"[::1]:8080\"}\n"), "");
}

TEST(Settings, ACertificateNeedsItsKey) {
  EXPECT_THAT(problems_of("http: {certificate: a.pem}\n"), HasSubstr("http.certificate needs http.key"));
  EXPECT_THAT(problems_of("http: {key: a.pem}\n"), HasSubstr("http.key needs http.certificate"));
  EXPECT_THAT(problems_of("http: {certificate: a.pem, key: b.pem}\n"),
              HasSubstr("/a.pem cannot be read: No such file or directory"));
  EXPECT_THAT(problems_of("http: {profile: http}\n"), HasSubstr("lan-http"));
  EXPECT_THAT(problems_of("http: {security_contact: security@plant.example}\n"), HasSubstr("write mailto:"));
}

TEST(Endpoint, ReadsAddressAndPort) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(parse_endpoint("[::1]:0")->address, "::1");
  for (const char* wrong : {"", ":", "8080", ":8080", "a:", "a:b", "a:70000", "a:-1", "::1:80", "[]:80", "a:80x"}) {
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
  }
}

TEST(Endpoint, KnowsWhoCanReachIt) {
  EXPECT_TRUE(parse_endpoint("127.0.0.1:1")->loopback());
  EXPECT_TRUE(parse_endpoint("localhost:1")->loopback());
  EXPECT_TRUE(parse_endpoint("[::1]:1")->loopback());
  EXPECT_FALSE(parse_endpoint("0.0.0.0:1")->loopback());
  EXPECT_FALSE(parse_endpoint("192.0.2.1:1")->loopback());
}

}  // namespace
}  // namespace tidegate::app
