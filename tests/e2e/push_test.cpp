// Programs push over HTTP to the real program: what becomes of it, who may, and that what was answered is on disk.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::HttpClient;
using testing::HasSubstr;

constexpr const char* kConfiguration = R"(sources:
  - {name: pushed, type: push, series: "{host}/{measurement}/{tags}/{field}", units: {"+/temp/#": °C}, labels: {area: east}}
rules:
  - {name: hot, series: "{device}/temp/#", threshold: {above: 90, clear_below: 85}, severity: critical}
)";

class Pushing : public testing::Test {
 protected:
  void SetUp() override {
    gateway.start();
    ASSERT_TRUE(eventually([&] { return source_is(gateway, "starting"); }));
    token = token_of("operator");
  }
  std::string token_of(const std::string& role) const {
    const auto made = tidegate({"token", "add", "sender", "--role", role, "--data", gateway.data()});
    return made.output.substr(0, made.output.find('\n'));
  }
  test::HttpResponse write(const std::string& lines, const std::string& query = "precision=s") const {
    return HttpClient(gateway.port(), token).post("/api/v2/write?bucket=b&org=o&" + query, lines, {});
  }
  std::int64_t seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  test::GatewayProcess gateway{kProgram, kConfiguration};
  std::string token;
};

TEST_F(Pushing, WhatIsPushedIsOnTheStreamInHistoryAndJudged) {
  auto viewer = gateway.viewer(), watchman = gateway.viewer();  // nobody says which of the two events is the first
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  ASSERT_TRUE(watchman.wait_for("snapshot"));
  const auto response = write(fmt::format("temp,host=boiler1 value=93.5 {}\n", seconds()));
  EXPECT_EQ(response.status, 204) << response.body;
  const auto delta = viewer.wait_for(
      "delta", [](const auto& event) { return event.data.find("boiler1/temp/value") != std::string::npos; });
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->json()["values"]["boiler1/temp/value"][1], 93.5);
  const auto alert = watchman.wait_for("alert");
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->json()["alerts"][0]["alert"]["id"], "hot:boiler1/temp/value");
  const json history = get_json(gateway, "/api/v1/history?series=boiler1/temp/value&points=1");
  EXPECT_EQ(history["series"][0]["points"][0][4], 93.5);
  const json all = get_json(gateway, "/api/v1/series");
  for (const json& series : all["series"]) {
    if (series["name"] != "boiler1/temp/value") continue;
    EXPECT_EQ(series["unit"], "°C");
    EXPECT_EQ(series["source"], "pushed");
    EXPECT_EQ(series["labels"], json({{"area", "east"}}));
  }
  EXPECT_TRUE(source_is(gateway, "up"));
}

TEST_F(Pushing, CurlSendsFilesPlainCompressedAndInChunks) {
  std::string body;
  for (int i = 0; i < 2'000; ++i) {
    body += fmt::format("cpu,cpu=cpu{},host=box1 usage_idle={},usage_user=1.5 {}000000000\n", i % 8, i % 100,
                        seconds() - i);
  }
  gateway.directory().write("body", body);
  const std::string url = fmt::format("http://127.0.0.1:{}/api/v2/write?org=plant&bucket=telegraf", gateway.port());
  const auto curl = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"curl", "-sS", "--fail-with-body", "-H", "Authorization: Token " + token, url};
    command.insert(command.end(), more.begin(), more.end());
    const auto done = test::run(std::move(command));
    EXPECT_EQ(done.status, 0) << done.output;
  };
  const auto stored = [&] { return gateway.metric("tidegate_journal_committed_samples_total"); };
  ASSERT_EQ(stored(), 0);
  const std::string file = gateway.directory() / "body";
  curl({"--data-binary", "@" + file});
  EXPECT_EQ(stored(), 4'000);
  // As Telegraf's outputs.influxdb_v2 does it.
  ASSERT_EQ(test::run({"gzip", "-k", file}).status, 0);
  curl({"--data-binary", "@" + file + ".gz", "-H", "Content-Encoding: gzip", "-H", "Transfer-Encoding: chunked", "-H",
        "Content-Type: text/plain; charset=utf-8"});
  EXPECT_EQ(stored(), 8'000);
  EXPECT_EQ(get_json(gateway, "/api/v1/state")["sources"][0]["series"], 16);
}

TEST_F(Pushing, BadLinesAreToldAndLieAmongTheRefused) {
  const auto response = write("temp,host=a value=1\ntemp,host= value=2\ntemp,host=b value=3\n");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body,
              HasSubstr("partial write: 1 line was not taken, and 2 samples were taken; line 2: column 11"));
  const json letters = get_json(gateway, "/api/v1/dead-letters")["dead_letters"];
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0]["source"], "pushed");
  EXPECT_EQ(letters[0]["topic"], "sender");
  EXPECT_EQ(letters[0]["payload"], "temp,host= value=2");
  EXPECT_EQ(get_json(gateway, "/api/v1/state")["sources"][0]["rejected"], 1);
}

TEST_F(Pushing, JsonIsTakenFromWhoMayAndFromNobodyElse) {
  const std::string body = R"({"samples": [{"series": "tank/level", "value": 0.5, "unit": "m"}]})";
  const auto status = [&](const std::string& shown) {
    return HttpClient(gateway.port(), shown).post("/api/v1/samples", body).status;
  };
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status(token_of("viewer")), 403);
  EXPECT_EQ(status(token), 200);
  EXPECT_EQ(gateway.http().post("/api/v1/samples", body).status, 200) << "the machine's own user, by the socket";
  gateway.reload("sources: [{name: me, type: self}]\n");
  EXPECT_TRUE(eventually([&] { return status(token) == 404; }));
}

/// Numbers each push, and each of its samples carries the number.
TEST_F(Pushing, WhatWasAnsweredIsThereAfterAKill) {
  constexpr int kSamples = 50;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  int pushes = 0;
  const std::int64_t begin = seconds() - 3'600;
  for (int i = 0, kills = test::kills(10); i < kills; ++i) {
    for (std::uint_fast32_t n = 1 + random() % 5; n > 0; --n, ++pushes) {
      std::string lines;
      for (int k = 0; k < kSamples; ++k) lines += fmt::format("n,host=h,k={} value={} {}\n", k, pushes, begin + pushes);
      int status = 0;
      ASSERT_TRUE(eventually([&] { return (status = write(lines).status) != 503; }));
      ASSERT_EQ(status, 204);
    }
    gateway.kill();
    gateway.start();
    for (const int k : {0, kSamples / 2, kSamples - 1}) {
      const std::string history = fmt::format(
          "/api/v1/history?series=h/n/k%3D{}/value&points=1&from={}000000&to={}000000", k, begin, begin + 3'600);
      const json point = get_json(gateway, history)["series"][0]["points"][0];
      EXPECT_EQ(point[5], pushes) << "how many";
      EXPECT_EQ(point[4], pushes - 1) << "the last";
    }
  }
}

/// A real Prometheus that scrapes itself.
constexpr const char* kScrape = R"(global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}
remote_write:
  - url: http://127.0.0.1:{gateway}/api/v1/prometheus/write
    authorization: {{credentials: {token}}}
    queue_config: {{batch_send_deadline: 1s}}
    write_relabel_configs: [{{source_labels: [__name__], regex: 'up|process_.*|prometheus_http_requests_total', action: keep}}]
)";

class FromPrometheus : public testing::Test {
 protected:
  void start_prometheus() {
    const auto made = tidegate({"token", "add", "prometheus", "--role", "operator", "--data", gateway.data()});
    const std::string token = made.output.substr(0, made.output.find('\n'));
    const auto file = gateway.directory().write(
        "prometheus.yml",
        fmt::format(kScrape, fmt::arg("port", port_), fmt::arg("gateway", gateway.port()), fmt::arg("token", token)));
    prometheus_ = std::make_unique<test::Process>(
        std::vector<std::string>{"prometheus", "--config.file=" + file.string(),
                                 "--storage.tsdb.path=" + (gateway.directory() / "tsdb").string(),
                                 "--web.listen-address=127.0.0.1:" + std::to_string(port_), "--log.level=warn"});
  }
  /// The newest value of a series of its own.
  std::optional<double> newest(const std::string& metric) const {
    const std::string name = fmt::format("{}/instance%3D127.0.0.1:{}/job%3Dself", metric, port_);
    const json state = get_json(gateway, "/api/v1/history?series=" + name + "&points=1");
    if (!state.contains("series") || state["series"].empty() || state["series"][0]["points"].empty()) return {};
    return state["series"][0]["points"][0][4].get<double>();
  }

  const int port_ = test::free_port();
  test::GatewayProcess gateway{kProgram, "sources: [{name: prom, type: push}]\n"};
  std::unique_ptr<test::Process> prometheus_;
};

TEST_F(FromPrometheus, ComesWhatItWritesAlsoAfterARestart) {
  gateway.start();
  start_prometheus();
  ASSERT_TRUE(eventually([&] { return newest("up") == 1.0; }, 60s)) << prometheus_->output();
  ASSERT_TRUE(eventually([&] { return newest("process_resident_memory_bytes").value_or(0) > 1e6; }, 60s));
  const json all = get_json(gateway, "/api/v1/series");
  bool seen = false;
  for (const json& one : all["series"]) {
    const std::string name = one["name"];
    if (name.starts_with("process_resident_memory_bytes/")) {
      EXPECT_EQ(one["unit"], "B");
    }
    if (!name.starts_with("process_cpu_seconds_total/")) continue;
    seen = true;
    EXPECT_EQ(one["kind"], "counter");
    EXPECT_EQ(one["unit"], "s");
  }
  EXPECT_TRUE(seen) << all.dump();
  EXPECT_TRUE(get_json(gateway, "/api/v1/dead-letters")["dead_letters"].empty());
  const double before = gateway.metric("tidegate_journal_committed_samples_total");
  EXPECT_GT(before, 0);

  // While the gateway is away it keeps what it has, and sends it then.
  const auto away = std::chrono::system_clock::now();
  ASSERT_EQ(gateway.stop(), 0);
  std::this_thread::sleep_for(3s);
  gateway.start();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(away.time_since_epoch()).count();
  const std::string name = fmt::format("up/instance%3D127.0.0.1:{}/job%3Dself", port_);
  ASSERT_TRUE(eventually(
      [&] {
        const json history = get_json(gateway, fmt::format("/api/v1/history?series={}&from={}&to={}&points=100", name,
                                                           micros, micros + 3'000'000));
        return !history["series"].empty() && history["series"][0]["points"].size() >= 2;
      },
      60s))
      << prometheus_->output();
}

}  // namespace
}  // namespace tidegate::e2e
