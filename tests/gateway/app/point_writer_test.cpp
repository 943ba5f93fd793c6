// What rules write, from the journal to points of devices that a test plays.

#include "gateway/app/point_writer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "gateway/state/point_marks.h"
#include "gateway/uplink/runner.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using uplink::Lane;
using uplink::Parcel;

class PointWriting : public journal::JournalTest {
 protected:
  void SetUp() override {
    open();
    auto opened = state::State::open(directory.path(), clock);
    ASSERT_TRUE(opened) << opened.error().text;
    decided = std::move(*opened);
    renew();
  }
  /// As a start of the gateway does.
  void renew() { writer = std::make_unique<PointWriter>(doors(), *journal, clock, metrics, clock.now()); }
  PointDoors doors() {
    return {[this](const state::Deed& deed) -> Status {
              const std::lock_guard lock(mutex);
              if (!audit_works) return fail(Errc::io, "the disk is read-only");
              said.push_back(deed.who + " " + deed.about + " " + deed.detail);
              return {};
            },
            [this](const state::Deed& deed, Seq through) -> Status {
              const std::lock_guard lock(mutex);
              if (!audit_works) return fail(Errc::io, "the disk is read-only");
              said.push_back(deed.who + " " + deed.about + " " + deed.detail);
              return marks().put(deed, through);
            },
            [this] { return marks().all(); },
            [this](std::string_view point, std::string_view value) -> Status {
              const std::lock_guard lock(mutex);
              tried.push_back(fmt::format("{} {}", point, value));
              const auto found = faults.find(std::string(point));
              return found == faults.end() ? Status{} : fail(found->second, "{} does not answer", point);
            },
            [this] { return time_is_known.load(); }};
  }
  state::PointMarks marks() { return {*decided, journal->epoch()}; }
  Batch wish(std::vector<PointSetting> settings, const std::string& alert = "full:t1") const {
    return transition(std::move(settings), journal::alert(alert, Phase::active), "raised");
  }
  Batch transition(std::vector<PointSetting> settings, const AlertRecord& alert, const std::string& cause) const {
    for (PointSetting& one : settings) {
      if (one.asked == Timestamp{}) one.asked = clock.now();
      if (one.within == Micros{0}) one.within = 30s;
    }
    Event event = journal::transition(alert, clock.now());
    std::get<AlertTransition>(event.body).cause = cause;
    std::get<AlertTransition>(event.body).write = std::move(settings);
    Batch batch;
    batch.events = {std::move(event)};
    return batch;
  }
  void want(std::vector<PointSetting> settings, const std::string& alert = "full:t1") {
    add(wish(std::move(settings), alert));
  }
  void add(Batch batch) {
    batch.seq = Seq{static_cast<std::int64_t>(parcels.size()) + 1};
    parcels.push_back({std::make_shared<const Batch>(std::move(batch)), 0, 1, false});
  }
  Status send() { return writer->send(Lane::alerts, parcels, {}); }
  std::vector<std::string> take_tried() {
    const std::lock_guard lock(mutex);
    return std::exchange(tried, {});
  }
  std::vector<std::string> take_said() {
    const std::lock_guard lock(mutex);
    return std::exchange(said, {});
  }

  std::mutex mutex;  ///< guards what follows
  std::vector<std::string> tried, said;
  std::map<std::string, Errc> faults;
  bool audit_works = true;
  std::atomic<bool> time_is_known = true;
  std::vector<Parcel> parcels;
  std::unique_ptr<state::State> decided;
  std::unique_ptr<PointWriter> writer;
};

TEST_F(PointWriting, IsInTheAuditBeforeAndAfter) {
  want({{"t1/valve", "off"}, {"t1/pump", "0.5"}});
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off", "t1/pump 0.5"));
  EXPECT_THAT(take_said(), ElementsAre("rule boiler-overheating t1/valve to off: full:t1 raised",
                                       "rule boiler-overheating t1/valve off is set",
                                       "rule boiler-overheating t1/pump to 0.5: full:t1 raised",
                                       "rule boiler-overheating t1/pump 0.5 is set"));
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), IsEmpty()) << "the cursor could not be moved: what is done stays done";
}

TEST_F(PointWriting, IsTriedAgainWhileItIsFreshAndThenGivenUp) {
  faults["t1/valve"] = Errc::timed_out;
  want({{"t1/valve", "off"}, {"t2/valve", "off"}});
  for (int i = 0; i < 3; ++i) {
    const Status sent = send();
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().text, "t1/valve does not answer");
    clock.advance(10s);
  }
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off", "t2/valve off", "t1/valve off", "t1/valve off"));
  clock.advance(1s);
  EXPECT_TRUE(send()) << "it is over";
  EXPECT_THAT(take_tried(), IsEmpty());
  const auto audit = take_said();
  ASSERT_EQ(audit.size(), 4u) << "of the tries in between it has none";
  EXPECT_EQ(
      audit.back(),
      "rule boiler-overheating t1/valve not set, and given up: this was to be done within 30 s; t1/valve does not "
      "answer");
  EXPECT_EQ(metric("uplink/points/given_up"), 1);
  const auto letters = journal->dead_letters(10);
  ASSERT_TRUE(letters && letters->size() == 1);
  EXPECT_EQ(letters->front().letter.source, "uplink/points");
  EXPECT_EQ(letters->front().letter.topic, "t1/valve");
  EXPECT_EQ(letters->front().letter.payload, "off");
  EXPECT_THAT(letters->front().letter.reason, HasSubstr("does not answer"));
}

TEST_F(PointWriting, WhatTheDeviceWillNeverTakeIsGivenUpAtOnce) {
  faults = {{"t1/valve", Errc::invalid}, {"t2/valve", Errc::not_found}};
  want({{"t1/valve", "ajar"}, {"t2/valve", "off"}});
  EXPECT_TRUE(send());
  EXPECT_EQ(metric("uplink/points/given_up"), 2);
}

TEST_F(PointWriting, NewsComeBeforeWhatIsTriedAgain) {
  faults["t1/valve"] = Errc::timed_out;
  want({{"t1/valve", "off"}});
  EXPECT_FALSE(send());
  want({{"t2/valve", "off"}});
  EXPECT_FALSE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off", "t2/valve off", "t1/valve off"));
}

TEST_F(PointWriting, TheNewestOfAPointCounts) {
  faults["t1/valve"] = Errc::timed_out;
  want({{"t1/valve", "off"}});
  EXPECT_FALSE(send());
  want({{"t1/valve", "on"}});
  take_said();
  faults.clear();
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off", "t1/valve on"));
  EXPECT_EQ(take_said().front(), "rule boiler-overheating t1/valve not set: another value is wanted by now");
}

TEST_F(PointWriting, WhatAnAlertAskedForNobodyWantsOnceItIsOver) {
  faults["t1/drain"] = Errc::conflict;
  want({{"t1/drain", "on"}});
  EXPECT_FALSE(send());
  faults.clear();
  add(transition({}, journal::alert("full:t2", Phase::normal), "cleared"));
  add(transition({}, journal::alert("full:t1", Phase::normal), "cleared"));
  take_tried();
  take_said();
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), IsEmpty());
  EXPECT_THAT(take_said(), ElementsAre("rule boiler-overheating t1/drain not set: full:t1 cleared meanwhile"));
  EXPECT_EQ(metric("uplink/points/given_up"), 0);
}

TEST_F(PointWriting, WhatAnAlertAskedForNobodyWantsOnceItIsSilenced) {
  AlertRecord shelved = journal::alert("full:t1", Phase::active);
  shelved.shelved_until = kOutOfService;
  want({{"t1/drain", "on"}});
  add(transition({}, shelved, "shelved"));
  want({{"t2/drain", "on"}}, "full:t2");
  add(transition({}, journal::alert("full:t2", Phase::active), "commented"));
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t2/drain on"));
  EXPECT_THAT(take_said().front(), HasSubstr("t2/drain"));
}

TEST_F(PointWriting, OfAnAlertThatIsOverAnothersWishForThePointIsOutdoneByNothing) {
  faults["t1/valve"] = Errc::timed_out;
  want({{"t1/valve", "off"}}, "full:t1");
  want({{"t1/valve", "on"}}, "dry:t1");
  EXPECT_FALSE(send());
  add(transition({}, journal::alert("dry:t1", Phase::normal), "cleared"));
  EXPECT_FALSE(send());
  faults.clear();
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve on", "t1/valve off", "t1/valve off"));
}

TEST_F(PointWriting, WhatIsSetWhenAnAlertIsOverWaitsForThatWhenItIsRaisedAgain) {
  add(transition({{"t1/pump", "on"}, {"t1/old", "on"}}, journal::alert("full:t1", Phase::normal), "cleared"));
  AlertRecord again = journal::alert("full:t1", Phase::active);
  again.release = {{"t1/pump", "on", 30s}};
  add(transition({}, again, "raised"));
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/old on")) << "which comes no other time";
}

TEST_F(PointWriting, NothingIsSetThatTheAuditDoesNotHave) {
  audit_works = false;
  want({{"t1/valve", "off"}});
  const Status sent = send();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().text, "the disk is read-only");
  EXPECT_THAT(take_tried(), IsEmpty());
  audit_works = true;
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off"));
}

TEST_F(PointWriting, OfAnEarlierRunIsDoneWhereItsAgeIsKnown) {
  want({{"t1/valve", "off"}});
  clock.advance(5s);
  renew();
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off"));
  want({{"t1/valve", "on"}});
  clock.advance(5s);
  renew();
  time_is_known = false;  // the gateway's clock went on from where that run left off, however long it was off
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), IsEmpty());
  EXPECT_THAT(take_said().back(), HasSubstr("nobody knows how long ago"));
  want({{"t1/valve", "off"}});
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off")) << "of this run it is known";
}

TEST_F(PointWriting, WhatIsOldOrOfTheFutureIsNotDone) {
  want({{"t1/valve", "off", 30s, clock.now() - 1h}, {"t2/valve", "off", 30s, clock.now() + 1h}});
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), IsEmpty());
  EXPECT_EQ(metric("uplink/points/given_up"), 2);
}

TEST_F(PointWriting, WhatIsDoneIsNotDoneAgainByTheNextRunThoughAnotherPointWaits) {
  faults["t2/valve"] = Errc::conflict;
  want({{"t1/valve", "off"}, {"t2/valve", "off"}});
  EXPECT_FALSE(send());
  renew();
  take_tried();
  EXPECT_FALSE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t2/valve off"));
  want({{"t1/valve", "on"}});
  EXPECT_FALSE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve on", "t2/valve off")) << "what comes later is";
}

TEST_F(PointWriting, WhatSomebodySetsByHandIsNewer) {
  faults["t1/valve"] = Errc::conflict;
  want({{"t1/valve", "off"}});
  EXPECT_FALSE(send());
  faults.clear();
  take_tried();
  ASSERT_TRUE(marks().put({"ada", "write", "t1/valve", "on is set"}, Seq{1}));
  EXPECT_TRUE(send());
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), IsEmpty());
  EXPECT_EQ(take_said().back(), "rule boiler-overheating t1/valve not set: somebody has set it since");
  want({{"t1/valve", "off"}});
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off"));
}

TEST_F(PointWriting, NothingIsSetWhileNobodyKnowsWhatWas) {
  ASSERT_TRUE(
      decided->keep([](journal::sql::Connection& file) { return file.run("ALTER TABLE point RENAME TO away"); }));
  want({{"t1/valve", "off"}});
  EXPECT_FALSE(send());
  EXPECT_THAT(take_tried(), IsEmpty());
  ASSERT_TRUE(
      decided->keep([](journal::sql::Connection& file) { return file.run("ALTER TABLE away RENAME TO point"); }));
  EXPECT_TRUE(send());
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off"));
}

TEST_F(PointWriting, ByARunnerWaitsForNoOtherThatIsTriedAgainLater) {
  faults["t1/valve"] = Errc::conflict;
  uplink::Runner runner(uplink::Runner::Section{"points", "points", ""}, std::move(writer), *journal, clock, metrics,
                        uplink::Waits{1h, 1h, true});
  runner.start();
  append(wish({{"t1/valve", "off"}}));
  ASSERT_TRUE(eventually([&] { return runner.stats().health == SourceHealth::down; }));
  const SeriesId level = series("t1/level");
  append_samples({sample(level, 96)});
  append(wish({{"t2/valve", "off"}}, "full:t2"));
  std::vector<std::string> all;
  EXPECT_TRUE(eventually([&] {
    for (std::string& one : take_tried()) all.push_back(std::move(one));
    return std::count(all.begin(), all.end(), "t2/valve off") == 1;
  }));
  EXPECT_LE(std::count(all.begin(), all.end(), "t1/valve off"), 3) << "samples are no news";
}

TEST_F(PointWriting, ByARunnerKnowsWhatCameSinceThoughItBeAFlood) {
  append(wish({{"t1/drain", "on"}}));
  Batch flood = wish({}, "full:t2");
  flood.events.resize(1000, flood.events.front());
  append(std::move(flood));
  append(transition({}, journal::alert("full:t1", Phase::normal), "cleared"));
  uplink::Runner runner(uplink::Runner::Section{"points", "points", ""}, std::move(writer), *journal, clock, metrics,
                        uplink::Waits{1ms, 10ms, true});
  runner.start();
  ASSERT_TRUE(eventually([&] { return runner.stats().last_ack.has_value(); }));
  EXPECT_THAT(take_tried(), IsEmpty());
}

TEST_F(PointWriting, ByARunnerIsDoneOnceOverRestarts) {
  const auto start = [&] {
    renew();
    auto runner = std::make_unique<uplink::Runner>(uplink::Runner::Section{"points", "points", ""}, std::move(writer),
                                                   *journal, clock, metrics, uplink::Waits{1ms, 10ms});
    runner->start();
    return runner;
  };
  append(wish({{"t1/valve", "off"}}));
  auto runner = start();
  ASSERT_TRUE(eventually([&] { return runner->stats().last_ack.has_value(); }));
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve off"));
  {
    const std::lock_guard lock(mutex);
    faults["t1/valve"] = Errc::timed_out;
  }
  append(wish({{"t1/valve", "on"}}));
  ASSERT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::down; }));
  EXPECT_THAT(runner->stats().text, HasSubstr("t1/valve does not answer; next try in"));
  runner.reset();
  reopen();
  take_tried();
  {
    const std::lock_guard lock(mutex);
    faults.clear();
  }
  runner = start();
  ASSERT_TRUE(eventually([&] { return runner->stats().last_ack.has_value(); }));
  EXPECT_THAT(take_tried(), ElementsAre("t1/valve on"));
}

}  // namespace
}  // namespace tidegate::app
