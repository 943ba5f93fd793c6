// TLS of the whole program: what it makes at its first start, takes over while it runs, and says of itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using test::eventually;
using test::GatewayProcess;
using ::testing::HasSubstr;
using ::testing::Not;
using By = test::RawConnection::By;
namespace fs = std::filesystem;

constexpr const char* kPlain = "gateway: {name: tls-test}\n";
const GatewayProcess::Address kByTls{GatewayProcess::kForOthers, By::tls};

mode_t mode_of(const fs::path& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 ? there.st_mode & 07777 : 0;
}

nlohmann::json gateway_state(const GatewayProcess& gateway) { return get_json(gateway, "/api/v1/state")["gateway"]; }

TEST(Tls, IsThereFromTheFirstStartWithoutASetting) {
  GatewayProcess gateway(kProgram, kPlain, {}, kByTls);
  gateway.start();
  const auto state = gateway_state(gateway);
  const auto fingerprint = state["certificate"]["fingerprint"].get<std::string>();
  EXPECT_EQ(state["insecure"], false);
  EXPECT_EQ(state["certificate"]["own"], false);
  EXPECT_TRUE(gateway.process().wait_for_output("its certificate's fingerprint (SHA-256): " + fingerprint));
  EXPECT_EQ(mode_of(gateway.data() / "tls"), 0700u);
  EXPECT_EQ(mode_of(gateway.data() / "tls/key.pem"), 0600u);
  EXPECT_GT(gateway.metric("tidegate_http_certificate_expiry_timestamp_seconds"), 1.7e9);
  EXPECT_EQ(test::HttpClient(gateway.port()).get("/").status, 308);
  EXPECT_THAT(tidegate({"login-link", "eva", "--data", gateway.data()}).output,
              ::testing::StartsWith("https://[::ffff:127.0.0.1]:" + std::to_string(gateway.port()) + "/#link="));
  EXPECT_EQ(gateway.stop(), 0);
  gateway.start();
  EXPECT_EQ(gateway_state(gateway)["certificate"]["fingerprint"], fingerprint);
}

TEST(Tls, FirstStartThatIsKilledLeavesNothingThatTheNextCannotUse) {
  for (int i = 0; i < test::kills(8); ++i) {
    GatewayProcess gateway(kProgram, kPlain, {}, kByTls);
    gateway.launch();
    ASSERT_TRUE(eventually([&] { return fs::exists(gateway.data() / "tls"); }));
    std::this_thread::sleep_for(std::chrono::microseconds(150 * i));
    gateway.kill();
    gateway.start();
    EXPECT_EQ(mode_of(gateway.data() / "tls/key.pem"), 0600u);
  }
}

TEST(Tls, IsNotSpokenOnLoopback) {
  GatewayProcess gateway(kProgram, kPlain);
  gateway.start();
  EXPECT_EQ(gateway_state(gateway)["insecure"], false);
  EXPECT_TRUE(gateway_state(gateway)["certificate"].is_null());
  EXPECT_FALSE(fs::exists(gateway.data() / "tls"));
  EXPECT_TRUE(gateway.process().wait_for_output("dashboard: http://127.0.0.1:"));
  EXPECT_EQ(gateway.metric("tidegate_http_certificate_expiry_timestamp_seconds"), -1);
}

TEST(Tls, IsLeftByWhoChoosesSoAndThatIsSaid) {
  GatewayProcess gateway(kProgram, "http: {profile: lan-http}\n", {}, {GatewayProcess::kForOthers, By::plain});
  gateway.start();
  EXPECT_EQ(gateway_state(gateway)["insecure"], true);
  EXPECT_TRUE(gateway.process().wait_for_output("without encryption"));
}

/// What the log book has of the dashboard, read after the stop.
std::vector<std::string> http_notices(const fs::path& directory) {
  GatewayClock clock;
  Metrics metrics;
  journal::Options options;
  options.directory = directory;
  const auto journal = journal::Journal::open(options, clock, metrics).value();
  std::vector<std::string> notices;
  const auto batches = journal->read(Seq{0});
  for (const auto& batch : batches.value()) {
    for (const Event& event : batch->events) {
      const auto* notice = std::get_if<Notice>(&event.body);
      if (notice != nullptr && notice->kind == "http") notices.push_back(notice->text);
    }
  }
  return notices;
}

class OwnCertificate : public testing::Test {
 protected:
  static void put(const fs::path& from, const fs::path& to) {
    fs::copy_file(from, to.string() + ".new", fs::copy_options::overwrite_existing);
    fs::rename(to.string() + ".new", to);
  }
  std::string configuration() const {
    return "http: {certificate: \"" + certificate.string() + "\", key: \"" + key.string() + "\"}\n";
  }

  test::TempDir directory;
  const test::Certificates pki{directory.path()};
  const fs::path certificate = directory / "own.pem", key = directory / "own.key";
};

TEST_F(OwnCertificate, IsTakenOverWhenItIsRenewedAndKeptWhenItIsSpoilt) {
  put(pki.server, certificate);
  put(pki.server_key, key);
  GatewayProcess gateway(kProgram, configuration(), {}, kByTls);
  gateway.start();
  const auto first = gateway_state(gateway)["certificate"];
  EXPECT_EQ(first["own"], true);
  EXPECT_TRUE(gateway.process().wait_for_output("the dashboard's certificate ends in 1 d"));  // made for two days

  put(pki.elsewhere, certificate);
  gateway.reload(configuration());
  ASSERT_TRUE(gateway.process().wait_for_output("own.key is not the key of the first certificate in"));
  EXPECT_THAT(gateway.process().output(), HasSubstr("reload refused, nothing was changed"));
  EXPECT_EQ(gateway_state(gateway)["certificate"]["fingerprint"], first["fingerprint"]);

  put(pki.elsewhere_key, key);
  gateway.reload(configuration());
  ASSERT_TRUE(gateway.process().wait_for_output("the dashboard's certificate is now valid until"));
  EXPECT_NE(gateway_state(gateway)["certificate"]["fingerprint"], first["fingerprint"]);
  EXPECT_EQ(gateway.stop(), 0);
  EXPECT_THAT(http_notices(gateway.data()),
              ::testing::ElementsAre(HasSubstr("certificate ends in 1 d"), HasSubstr("certificate is now valid until"),
                                     HasSubstr("certificate ends in 1 d")));
}

TEST_F(OwnCertificate, ThatCannotBeUsedIsAProblemOfTheConfiguration) {
  put(pki.server, certificate);
  put(pki.client_key, key);
  const std::string file = directory.write("tidegate.yaml", configuration());
  for (const char* command : {"check", "run"}) {
    const bool runs = std::string_view(command) == "run";
    const auto refused = tidegate(runs ? std::vector<std::string>{"run", "--config", file, "--data", directory / "data"}
                                       : std::vector<std::string>{"check", file});
    EXPECT_EQ(refused.status, 78) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("tidegate.yaml:1:21: " + key.string() +
                                          " is not the key of the first certificate in " + certificate.string()));
  }
}

}  // namespace
}  // namespace tidegate::e2e
