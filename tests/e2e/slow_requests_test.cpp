// The real program against one whose trade is slow requests (slowhttptest): for others there is an answer all the time.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/e2e/fixture.h"
#include "tests/support/pace.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::HttpClient;
using test::Process;
using testing::ContainsRegex;
using testing::Not;

constexpr const char* kBusy = R"(storage: {commit_every: 100ms}
sources: [{name: plant, type: simulator, every: 200ms}]
)";

/// One of its attacks, on loopback, for a few seconds; what it found is the answer.
void is_withstood(std::vector<std::string> attack) {
  test::GatewayProcess gateway(kProgram, kBusy);
  gateway.start();
  const std::string url = fmt::format("http://127.0.0.1:{}/healthz", gateway.port());
  std::vector<std::string> command = {"slowhttptest", "-c", "400", "-r", "200", "-l", "8", "-p", "2", "-u", url};
  command.insert(command.end(), attack.begin(), attack.end());
  Process attacker(std::move(command));
  std::vector<test::Millis> took;
  while (attacker.running()) {
    took.push_back(test::time_of([&] {
      ASSERT_EQ(HttpClient(gateway.port()).get("/healthz").body, "ok\n") << "for others there is no answer";
    }));
    std::this_thread::sleep_for(50ms);
  }
  const std::string told = std::regex_replace(attacker.output(), std::regex("\x1b\\[[0-9;]*[A-Za-z]"), "");
  EXPECT_THAT(told, ContainsRegex("service available: *YES"));
  EXPECT_THAT(told, Not(ContainsRegex("service available: *NO")));
  EXPECT_GT(took.size(), 20u);
  EXPECT_LT(test::median(std::move(took)), test::kPrompt);
  EXPECT_TRUE(eventually([&] { return gateway.http().get("/healthz").status == 200; }));
}

TEST(SlowRequests, OfHeadersAreWithstood) { is_withstood({"-H", "-i", "1"}); }
TEST(SlowRequests, OfBodiesAreWithstood) { is_withstood({"-B", "-i", "1", "-s", "8192"}); }
TEST(SlowRequests, OfReadersAreWithstood) {
  is_withstood({"-X", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-k", "3"});
}

}  // namespace
}  // namespace tidegate::e2e
