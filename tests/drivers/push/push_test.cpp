#include "drivers/push/push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::push {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PushDriver : public testing::Test {
 protected:
  void make(const std::string& more) {
    std::string why;
    driver = test::make_driver("{name: pushed, type: push" + more + "}", clock, metrics, why);
    ASSERT_NE(driver, nullptr) << why;
    ASSERT_NE(driver->inlet(), nullptr);
  }
  void start(const std::string& more = "") {
    make(more);
    thread = std::jthread([this](std::stop_token stop) { result = driver->run(sink, stop); });
    ASSERT_TRUE(sink.wait_for_health(SourceHealth::starting));
  }
  void stop() {
    thread.request_stop();
    thread.join();
    EXPECT_TRUE(result);
  }
  Result<Pushed> push(std::string_view body) { return driver->inlet()->take({body, Push::Format::lines, 1ns, "test"}); }

  FakeClock clock;
  Metrics metrics;
  fakes::FakeSink sink;
  std::unique_ptr<Driver> driver;
  Status result;
  std::jthread thread;
};

TEST_F(PushDriver, TakesWhileItRunsAndSaysSoElse) {
  make("");
  EXPECT_EQ(push("m f=1").error().code, Errc::unavailable);
  start();
  EXPECT_EQ(push("m f=1")->samples, 1u);
  EXPECT_EQ(sink.last("m/f")->time, clock.now());
  EXPECT_EQ(sink.reports().back().health, SourceHealth::up);
  stop();
  EXPECT_EQ(push("m f=1").error().code, Errc::unavailable);
}

TEST_F(PushDriver, IsDownWhenNothingComes) {
  start(", silent_after: 10m");
  clock.advance(10min);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink.reports().back().text, HasSubstr("was pushed for 10 min"));
  EXPECT_EQ(push("nonsense")->samples, 0u);
  EXPECT_EQ(sink.reports().back().health, SourceHealth::down) << "what cannot be used is no life";
  EXPECT_EQ(push("m f=1")->samples, 1u);
  EXPECT_EQ(sink.reports().back().health, SourceHealth::up);
  stop();
}

TEST_F(PushDriver, ADocumentWithNoneOfTheNamedFieldsIsRefusedAndTheReasonStands) {
  start(", silent_after: 10m, document: {fields: {t: /t, h: /h}}");
  const auto document = [&](std::string_view body) {
    return driver->inlet()->take({body, Push::Format::document, 1ns, "test"});
  };
  EXPECT_EQ(document(R"({"h": 40})")->samples, 1u) << "it may have some of them";
  const auto refused = document(R"({"dev": "d1", "T": 21.5})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_EQ(refused.error().text, "there is no /t, /h in it; it has /dev, /T");
  ASSERT_EQ(sink.rejected().size(), 1u);
  clock.advance(10min);
  ASSERT_TRUE(sink.wait_for_words("the last was refused: there is no /t, /h in it", SourceHealth::down));
  stop();
}

TEST_F(PushDriver, ATemplateThatIsNoneIsAProblemAtItsPlace) {
  std::string why;
  EXPECT_EQ(test::make_driver("{name: p, type: push, series: \"{field}/{host\"}", clock, metrics, why), nullptr);
  EXPECT_THAT(why, HasSubstr("test.yaml:1:"));
  EXPECT_EQ(test::make_driver("{name: p, type: push, units: {\"a/#/b\": bar}}", clock, metrics, why), nullptr);
}

}  // namespace
}  // namespace tidegate::drivers::push
