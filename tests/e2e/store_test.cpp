// A disk that takes nothing more, and then takes again. A limit on the size of files stands for it: the kernel refuses
// the gateway's writes as a full disk does, and any user may lift it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/e2e/fixture.h"
#include "tests/support/http_client.h"

namespace tidegate::e2e {
namespace {

using test::eventually;
using test::GatewayProcess;
using test::HttpClient;
using test::HttpResponse;

constexpr std::string_view kConfiguration = R"(gateway: {name: store-test}
storage: {commit_every: 50ms}
sources:
  - {name: plant, type: simulator, every: 100ms, faults: false}
)";

/// Beyond it nothing is written to any file.
void limit_files(GatewayProcess& gateway, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ASSERT_EQ(prlimit(gateway.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

double stored(const GatewayProcess& gateway) { return gateway.metric("tidegate_journal_committed_samples_total"); }

TEST(Store, ThatTakesNothingIsSaidByTheHealthUntilItTakesAgain) {
  std::signal(SIGXFSZ, SIG_IGN);  // inherited: the write fails instead
  GatewayProcess gateway(kProgram, kConfiguration);
  gateway.start();
  const auto health = [&] { return gateway.http().get("/healthz"); };
  ASSERT_TRUE(eventually([&] { return stored(gateway) > 0; }));
  EXPECT_EQ(health().body, "ok\n");

  limit_files(gateway, 4096);
  HttpResponse sick;
  ASSERT_TRUE(eventually([&] { return (sick = health()).status == 503; }));
  EXPECT_THAT(sick.body, testing::HasSubstr("is not stored"));

  const std::string state = gateway.http().get("/api/v1/state").body;
  EXPECT_THAT(state, testing::HasSubstr(R"("takes_samples":false)"));
  EXPECT_THAT(state, testing::HasSubstr(R"("takes_alerts":false)"));

  limit_files(gateway, RLIM_INFINITY);
  ASSERT_TRUE(eventually([&] { return health().status == 200; }));
  const double before = stored(gateway);
  EXPECT_TRUE(eventually([&] { return stored(gateway) > before; }));
  EXPECT_EQ(gateway.stop(), 0);
}

}  // namespace
}  // namespace tidegate::e2e
