#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ostream>
#include <thread>

#include "drivers/http/client.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A server that takes connections and never says a word.
class Silent {
 public:
  Silent() {
    const sockaddr_in any_port{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address_);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&any_port), sizeof(any_port)), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
  }
  ~Silent() { ::close(listener_); }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + "/status"; }

 private:
  const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{};
};

/// peer.py beside this file is asked, a server of Python's.
class HttpDriver : public testing::Test {
 protected:
  HttpDriver() { ::signal(SIGPIPE, SIG_IGN); }  // as the program does

  void serve(std::vector<std::string> more = {}) {
    std::vector<std::string> command = {"python3", TIDEGATE_SOURCE_DIR "/tests/drivers/http/peer.py",
                                        std::to_string(port_)};
    command.insert(command.end(), more.begin(), more.end());
    peer_ = std::make_unique<test::Process>(command);
    ASSERT_TRUE(test::wait_for_port(port_, 20s));
  }
  std::string url(const std::string& path) const {
    return scheme_ + "://127.0.0.1:" + std::to_string(port_) + "/" + path;
  }
  void start(const std::string& requests, const std::string& more = "") {
    std::string why;
    driver_ = test::make_driver("{name: web, type: http, every: 100ms, " + more + "requests: [" + requests + "]}",
                                clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  void ask(const std::string& path, const std::string& request = "", const std::string& more = "") {
    start("{url: '" + url(path) + "'" + (request.empty() ? "" : ", " + request) + "}", more);
  }
  /// Makes no driver, for this reason.
  std::string problem(const std::string& section) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: web, type: http, " + section + "}", clock_, metrics_, why), nullptr) << section;
    return why;
  }
  bool says(SourceHealth health, const std::string& text) { return sink_.wait_for_words(text, health); }
  double value(const std::string& series) {
    const auto last = sink_.last(series);
    return last && last->quality == Quality::good ? last->value : -999;
  }

  const int port_ = test::free_port();
  std::string scheme_ = "http";
  std::unique_ptr<test::Process> peer_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

TEST_F(HttpDriver, ReadsEveryNumberOfAJsonAnswer) {
  serve();
  ask("json", "states: [mode]");
  ASSERT_TRUE(sink_.wait_for_samples("web/nested/p/1", 2));
  EXPECT_EQ(value("web/temp"), 21.5);
  EXPECT_EQ(value("web/on"), 1);
  EXPECT_EQ(value("web/nested/p/0"), 1);
  EXPECT_EQ(value("web/nested/p/1"), 2);
  EXPECT_EQ(sink_.last_label("web/mode"), "heating");
  EXPECT_TRUE(says(SourceHealth::up, "http://127.0.0.1:"));
}

TEST_F(HttpDriver, ReadsNamedFieldsAsTheirOptionsSay) {
  serve();
  ask("json",
      "name: hp, fields: {flow: {pointer: /temp, scale: 2, offset: 1, unit: l}, q: {pointer: /quoted}, mode: /mode}",
      "series: '{request}/of/{source}/{field}', ");
  ASSERT_TRUE(sink_.wait_for_samples("hp/of/web/mode", 1));
  EXPECT_EQ(value("hp/of/web/flow"), 44);
  EXPECT_EQ(value("hp/of/web/q"), 7.25);
  EXPECT_EQ(sink_.last_label("hp/of/web/mode"), "heating");
}

TEST_F(HttpDriver, AFieldThatIsNotThereIsBadAndTold) {
  serve();
  ask("json", "fields: {temp: /temp, absent: {pointer: /no/such, kind: number}}");
  ASSERT_TRUE(says(SourceHealth::degraded, "web/absent: there is no 'no/such' in what came"));
  EXPECT_EQ(sink_.last("web/absent")->reason, Reason::device_fault);
  EXPECT_EQ(value("web/temp"), 21.5);
}

TEST_F(HttpDriver, WhatHasNotChangedIsReadAllTheSame) {
  serve();
  start("{name: tagged, url: '" + url("tagged") + "'}, {name: counts, url: '" + url("counts") + "'}");
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return value("web/counts/unchanged") >= 5; }));
  EXPECT_EQ(value("web/counts/sent"), 1);
  ASSERT_TRUE(sink_.wait_for_samples("web/tagged/value", 6));
  EXPECT_EQ(value("web/tagged/value"), 5);
  EXPECT_GT(sink_.samples("web/tagged/value")[5].time, sink_.samples("web/tagged/value")[4].time);
}

TEST_F(HttpDriver, TheDevicesOwnTimeIsTakenOnceForEachReading) {
  serve();
  start("{name: timed, url: '" + url("timed") + "', timestamp: {pointer: /at}, fields: {value: /value}}, " +
        "{name: fixed, url: '" + url("fixed") + "', timestamp: {pointer: /at}}, {name: json, url: '" + url("json") +
        "'}");
  ASSERT_TRUE(sink_.wait_for_samples("web/json/temp", 8));
  EXPECT_EQ(sink_.samples("web/fixed/value").size(), 1u);
  const auto timed = sink_.samples("web/timed/value");
  EXPECT_LE(timed.size(), 3u) << "its time has whole seconds";
  EXPECT_LT(timed[0].time, clock_.now() - 8s);
  EXPECT_EQ(timed[0].quality, Quality::good);
}

TEST_F(HttpDriver, ReadsTextByPatterns) {
  serve();
  ask("text",
      "format: text, pattern: ['Power: (?P<power>[0-9.]+)', 'State: (?P<state>\\w+)\\nFlow: (?P<flow>\\S+)'], "
      "fields: {power: {unit: W}, state: {kind: state}, flow: {kind: number}}");
  ASSERT_TRUE(sink_.wait_for_samples("web/flow", 1));
  EXPECT_EQ(value("web/power"), 12.5);
  EXPECT_EQ(sink_.last_label("web/state"), "running");
  EXPECT_EQ(sink_.last("web/flow")->reason, Reason::wrong_type);
  EXPECT_TRUE(says(SourceHealth::degraded, "'n/a' is no number"));
}

TEST_F(HttpDriver, TextThatDoesNotMatchIsRefusedOnceAndTold) {
  serve();
  ask("text", "format: text, pattern: 'Energy: (?P<energy>[0-9.]+)', fields: {energy: {kind: number}}");
  ASSERT_TRUE(sink_.wait_for_samples("web/energy", 3));
  EXPECT_EQ(sink_.last("web/energy")->quality, Quality::bad);
  ASSERT_EQ(sink_.rejected().size(), 1u);
  EXPECT_THAT(sink_.rejected()[0].payload, HasSubstr("Power: 12.5"));
}

TEST_F(HttpDriver, ReadsAPageOfPrometheusMetrics) {
  serve();
  ask("metrics", "format: prometheus");
  ASSERT_TRUE(sink_.wait_for_samples("web/nothing", 2));
  EXPECT_EQ(value("web/requests_total/method=get/path=%2Fa b"), 17);
  EXPECT_EQ(value("web/requests_total/method=post/path=%2F"), 3);
  EXPECT_EQ(value("web/temperature_celsius/room=hall"), 21.5);
  EXPECT_EQ(value("web/latency_seconds_bucket/le=%2BInf"), 4);
  EXPECT_EQ(sink_.last("web/nothing")->reason, Reason::not_a_number);
  const SeriesInfo counter = *sink_.info("web/requests_total/method=post/path=%2F");
  EXPECT_EQ(counter.kind, SeriesKind::counter);
  EXPECT_EQ(counter.labels, (Labels{{"method", "post"}, {"path", "/"}}));
  EXPECT_EQ(sink_.info("web/temperature_celsius/room=hall")->unit, "°C");
  EXPECT_TRUE(says(SourceHealth::degraded, "broken{ 1: a label without a name"));
}

TEST_F(HttpDriver, ReadsThoseMetricsThatAreNamed) {
  serve();
  ask("metrics", "format: prometheus, metrics: ['temperature_.*', latency_seconds_sum]");
  ASSERT_TRUE(sink_.wait_for_samples("web/latency_seconds_sum", 1));
  EXPECT_THAT(sink_.names(),
              testing::UnorderedElementsAre("web/temperature_celsius/room=hall", "web/latency_seconds_sum"));
}

TEST_F(HttpDriver, SendsWhatItIsToldTo) {
  serve();
  ask("echo", "method: PUT, body: '{\"ask\": 1}', headers: {X-Key: k1}, states: ['#']");
  ASSERT_TRUE(sink_.wait_for_samples("web/proxy", 1));
  EXPECT_EQ(sink_.last_label("web/method"), "PUT");
  EXPECT_EQ(sink_.last_label("web/body"), "{\"ask\": 1}");
  EXPECT_EQ(sink_.last_label("web/key"), "k1");
}

TEST_F(HttpDriver, AsksThroughNoProxy) {
  serve();
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("no_proxy", "nobody.example", 1);
  ask("echo", "states: [proxy]");
  EXPECT_TRUE(sink_.wait_for_samples("web/proxy", 1));
  thread_.request_stop();
  thread_.join();
  unsetenv("http_proxy");
  unsetenv("no_proxy");
}

TEST_F(HttpDriver, LogsInByPassword) {
  serve();
  ask("basic", "", "auth: {user: boiler, password: s3cret}, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/in", 1));
}

TEST_F(HttpDriver, LogsInByToken) {
  serve();
  ask("bearer", "", "auth: {token: t0ken}, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/in", 1));
}

TEST_F(HttpDriver, SaysThatItMayNotAndNotHowItTried) {
  serve();
  ask("basic?key=hidden", "", "auth: {user: boiler, password: wrong0ne}, ");
  ASSERT_TRUE(says(SourceHealth::down, "/basic: answers 401: is what 'auth'"));
  EXPECT_THAT(sink_.reports().back().text, AllOf(Not(HasSubstr("wrong0ne")), Not(HasSubstr("hidden"))));
}

TEST_F(HttpDriver, FollowsNoRedirectUnlessItIsAllowed) {
  serve();
  ask("redirect");
  ASSERT_TRUE(says(SourceHealth::down, "answers 302"));
}

TEST_F(HttpDriver, FollowsAsManyRedirectsAsAreAllowedButToNoFile) {
  serve();
  start("{name: a, url: '" + url("redirect") + "'}, {name: b, url: '" + url("to/file") + "'}", "redirects: 1, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/a/temp", 1));
  ASSERT_TRUE(says(SourceHealth::degraded, "Protocol \"file\" not supported"));
}

TEST_F(HttpDriver, ShowsPasswordAndTokenToNoOtherHost) {
  serve();
  for (const std::string auth : {"{user: boiler, password: s3cret}", "{token: t0ken}"}) {
    ask("who", "states: ['#']", "auth: " + auth + ", ");
    ASSERT_TRUE(sink_.wait_until([&](const auto&) { return sink_.last_label("web/host") == "127.0.0.1"; }));
    EXPECT_NE(sink_.last_label("web/authorization"), "none");
    thread_ = {};
    ask("to/elsewhere", "states: ['#']", "redirects: 1, auth: " + auth + ", ");
    ASSERT_TRUE(sink_.wait_until([&](const auto&) { return sink_.last_label("web/host") == "localhost"; }));
    EXPECT_EQ(sink_.last_label("web/authorization"), "none");
    thread_ = {};
  }
}

TEST_F(HttpDriver, GoesToNoOtherHostUnlessRedirectsAreAllowed) {
  serve();
  ask("to/elsewhere", "states: ['#']");
  ASSERT_TRUE(says(SourceHealth::down, "answers 302"));
  EXPECT_TRUE(sink_.names().empty());
}

/// 0.0.0.0 is the one of those addresses where the peer does answer.
TEST_F(HttpDriver, AsksAtNoLinkLocalAddressUnlessItIsAllowed) {
  serve();
  const std::string here = "http://0.0.0.0:" + std::to_string(port_) + "/json";
  start("{url: '" + here + "'}");
  ASSERT_TRUE(says(SourceHealth::down, here + ": not asked: it leads to 0.0.0.0, "));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("set 'allow_link_local: true'"));
  EXPECT_TRUE(sink_.names().empty());
  thread_ = {};
  start("{url: '" + here + "'}", "allow_link_local: true, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/temp", 1));
}

TEST_F(HttpDriver, NoWayOfWritingItLeadsToALinkLocalAddress) {
  for (const auto& [host, address] :
       std::vector<std::pair<std::string, std::string>>{{"169.254.169.254", "169.254.169.254"},
                                                        {"2852039166", "169.254.169.254"},
                                                        {"0xa9.0xfe.0xa9.0xfe", "169.254.169.254"},
                                                        {"[::ffff:169.254.169.254]", "::ffff:169.254.169.254"},
                                                        {"[fd00:ec2::254]", "fd00:ec2::254"},
                                                        {"[::]", "::"}}) {
    const std::string there = "http://" + host + "/latest/meta-data";
    start("{url: '" + there + "'}");
    ASSERT_TRUE(says(SourceHealth::down, there + ": not asked: it leads to " + address + ", ")) << host;
    thread_ = {};
  }
}

TEST_F(HttpDriver, NoRedirectLeadsToALinkLocalAddress) {
  serve();
  ask("to/metadata", "", "redirects: 3, ");
  ASSERT_TRUE(says(SourceHealth::down, "/to/metadata: not asked: it leads to 0.0.0.0, "));
  EXPECT_TRUE(sink_.names().empty());
  thread_ = {};
  ask("to/metadata", "", "redirects: 3, allow_link_local: true, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/temp", 1));
}

TEST_F(HttpDriver, TakesNoMoreThanItIsTold) {
  serve();
  ask("large", "", "max_size: 1MB, ");
  ASSERT_TRUE(says(SourceHealth::down, "larger than 1000000 bytes"));
}

TEST_F(HttpDriver, UnpacksButNotWithoutEnd) {
  serve();
  start("{name: a, url: '" + url("zipped") + "'}, {name: b, url: '" + url("bomb") + "'}");
  ASSERT_TRUE(sink_.wait_for_samples("web/a/value", 1));
  EXPECT_EQ(value("web/a/value"), 12);
  ASSERT_TRUE(says(SourceHealth::degraded,
                   "b: http://127.0.0.1:" + std::to_string(port_) + "/bomb: the answer is larger than 1048576 bytes"));
}

TEST_F(HttpDriver, WaitsForNobodyBeyondItsTimeNorForOneWhoDrips) {
  serve();
  start("{name: a, url: '" + url("slow") + "'}, {name: b, url: '" + url("drip") + "'}, {name: c, url: '" + url("json") +
            "'}",
        "timeout: 300ms, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/c/temp", 3));
  ASSERT_TRUE(says(SourceHealth::degraded, "1 of 3 answer"));
  EXPECT_THAT(sink_.reports().back().text, AllOf(HasSubstr("/slow: no whole answer in 300ms"), HasSubstr("/drip: no")));
}

TEST_F(HttpDriver, StopsInTheMiddleOfARequest) {
  serve();
  ask("slow", "", "timeout: 60s, ");
  std::this_thread::sleep_for(300ms);
  const auto before = std::chrono::steady_clock::now();
  thread_.request_stop();
  thread_.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

TEST_F(HttpDriver, AServerThatIsSilentDelaysNoOtherAndIsTold) {
  const Silent silent;
  serve();
  start("{name: dead, url: '" + silent.url() + "', fields: {x: {pointer: /x, kind: number}}}, {name: good, url: '" +
        url("json") + "', every: 200ms}");
  ASSERT_TRUE(says(SourceHealth::degraded, "1 of 2 answer; dead: " + silent.url() + ": no whole answer in 5s"));
  EXPECT_EQ(sink_.last("web/dead/x")->reason, Reason::no_answer);
  // It timed out once more, beside which the good one goes on.
  const Metric& failed = metrics_.counter("source/web/failed_reads", "", "");
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return failed.value() >= 2; }));
  const auto good = sink_.samples("web/good/temp");
  Micros longest{0};
  for (std::size_t i = 1; i < good.size(); ++i) longest = std::max(longest, good[i].time - good[i - 1].time);
  EXPECT_GE(good.size(), 20u);
  EXPECT_LT(longest, 1s);
}

TEST_F(HttpDriver, UrlsOfOneServerAreAskedOneAfterAnotherBesideThoseOfOthers) {
  serve();
  const std::string other = "http://localhost:" + std::to_string(port_) + "/crowd";
  start("{name: a, url: '" + url("crowd") + "'}, {name: b, url: '" + url("crowd?b") + "'}, {name: c, url: '" + other +
        "'}, {name: d, url: '" + other + "?d'}");
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return value("web/b/all") >= 2 && value("web/d/all") >= 2; }));
  ASSERT_TRUE(sink_.wait_for_samples("web/b/host", 10));
  ASSERT_TRUE(sink_.wait_for_samples("web/d/host", 10));
  for (const std::string name : {"a", "b", "c", "d"}) EXPECT_EQ(value("web/" + name + "/host"), 1) << name;
}

TEST_F(HttpDriver, StopsWhileSeveralServersHang) {
  const Silent one, two;
  start("{name: a, url: '" + one.url() + "'}, {name: b, url: '" + two.url() + "'}", "timeout: 60s, ");
  const Metric& reads = metrics_.counter("source/web/reads", "", "");
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return reads.value() == 2; })) << "at once";
  const auto before = std::chrono::steady_clock::now();
  thread_ = {};
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

TEST(ServerOfAUrl, IsItsSchemeHostAndPort) {
  EXPECT_EQ(http::server_of("http://meter/a?b=c#d"), "http://meter:80");
  EXPECT_EQ(http::server_of("http://METER:80/other"), "http://meter:80");
  EXPECT_EQ(http::server_of("http://meter:8080"), "http://meter:8080");
  EXPECT_EQ(http::server_of("https://meter/a"), "https://meter:443");
  EXPECT_EQ(http::server_of("http://[FE80::1]:9100/metrics"), "http://[fe80::1]:9100");
}

TEST_F(HttpDriver, StartsWithoutTheServerMarksWhatFailsAndComesBack) {
  ask("json", "fields: {temp: {pointer: /temp, kind: number}}");
  ASSERT_TRUE(says(SourceHealth::down, "Failed to connect"));
  EXPECT_EQ(sink_.last("web/temp")->reason, Reason::no_answer);
  serve();
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return value("web/temp") == 21.5; }));
  peer_->kill();
  ASSERT_TRUE(says(SourceHealth::down, "127.0.0.1"));
  EXPECT_EQ(sink_.last("web/temp")->quality, Quality::bad);
  serve();
  ASSERT_TRUE(says(SourceHealth::up, "every 100ms"));
  EXPECT_EQ(value("web/temp"), 21.5);
}

/// What becomes of a status.
struct Refusal {
  int status;
  Reason reason;
  std::string words;
};
/// In the test's name.
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.status; }

class HttpStatus : public HttpDriver, public testing::WithParamInterface<Refusal> {};
INSTANTIATE_TEST_SUITE_P(
    HttpDriver, HttpStatus,
    testing::Values(
        Refusal{301, Reason::device_fault,
                "/status/301: answers 301: write the URL that it points to, or allow 'redirects'"},
        Refusal{400, Reason::device_fault, "/status/400: answers 400"},
        Refusal{401, Reason::device_fault, "/status/401: answers 401: is what 'auth' and 'headers' say right?"},
        Refusal{403, Reason::device_fault, "/status/403: answers 403: is what 'auth' and 'headers' say right?"},
        Refusal{404, Reason::device_fault, "/status/404: answers 404"},
        Refusal{429, Reason::no_answer, "/status/429: answers 429"},
        Refusal{500, Reason::no_answer, "/status/500: answers 500"},
        Refusal{503, Reason::no_answer, "/status/503: answers 503"}),
    [](const auto& refusal) { return std::to_string(refusal.param.status); });

/// Ten minutes pass in ten seconds.
class FastClock final : public Clock {
 public:
  Timestamp now() const override { return begun_ + 60 * (real_.now() - begun_); }

 private:
  const GatewayClock real_;
  const Timestamp begun_ = real_.now();
};

TEST_P(HttpStatus, IsBadInTheseWordsAndAskedForMoreAndMoreRarely) {
  const FastClock fast;
  serve();
  std::string why;
  const std::string path = "status/" + std::to_string(GetParam().status);
  const auto driver =
      test::make_driver("{name: web, type: http, every: 100ms, requests: [{name: a, url: '" + url(path) +
                            "', fields: {x: {pointer: /x, kind: number}}}, {name: b, url: '" + url("counts") + "'}]}",
                        fast, metrics_, why);
  ASSERT_NE(driver, nullptr) << why;
  const std::jthread thread([&](const std::stop_token& stop) { EXPECT_TRUE(driver->run(sink_, stop)); });
  ASSERT_TRUE(says(SourceHealth::degraded, "1 of 2 answer; a: http://127.0.0.1:"));
  EXPECT_THAT(sink_.reports().back().text, testing::EndsWith(GetParam().words));
  EXPECT_EQ(sink_.last("web/a/x")->reason, GetParam().reason);
  // After 1, 2, 4, ... 32 s and then a minute each, and not every 3 s.
  const auto begun = fast.now();
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return fast.now() - begun > 3min; }));
  EXPECT_GE(value("web/b/refused"), 6);
  EXPECT_LE(value("web/b/refused"), 12);
}

TEST_F(HttpDriver, WhoSaysWhenToAskAgainIsNotAskedBefore) {
  serve();
  start("{name: a, url: '" + url("status/503?3") + "'}, {name: b, url: '" + url("status/429?99999999999") +
        "'}, {name: c, url: '" + url("status/503?soon") + "'}, {name: d, url: '" + url("counts") + "'}");
  ASSERT_TRUE(says(SourceHealth::degraded, "a: http://127.0.0.1:" + std::to_string(port_) +
                                               "/status/503: answers 503, and may be asked again in 3s"));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("/status/429: answers 429, and may be asked again in 1h"));
  EXPECT_THAT(sink_.reports().back().text,
              HasSubstr("c: http://127.0.0.1:" + std::to_string(port_) + "/status/503: answers 503"));
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return std::chrono::steady_clock::now() - begun > 2000ms; }));
  EXPECT_LE(value("web/d/refused"), 4);  // that date of c's is none, so it came once more
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return value("web/d/refused") >= 5; }));
}

TEST_F(HttpDriver, AServerThatIsBusyOrTalksNonsenseIsBad) {
  serve();
  start("{name: a, url: '" + url("busy") + "'}, {name: b, url: '" + url("broken") + "'}");
  ASSERT_TRUE(says(SourceHealth::degraded, "/broken: not valid JSON"));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("/busy: answers 503"));
}

TEST_F(HttpDriver, KnowsItsServerByItsAuthorityAndShowsItsOwnCertificate) {
  test::TempDir directory;
  const test::Certificates pki(directory.path());
  scheme_ = "https";
  serve({pki.server.string(), pki.server_key.string(), pki.ca.string()});
  ask("json", "",
      "tls: {ca: '" + pki.ca.string() + "', certificate: '" + pki.client.string() + "', key: '" +
          pki.client_key.string() + "'}, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/temp", 2));
}

/// What is said of a server's certificate that ends in so many days.
struct Ending {
  int days;
  std::string words;
};
class HttpsServer : public HttpDriver, public testing::WithParamInterface<Ending> {};
INSTANTIATE_TEST_SUITE_P(HttpDriver, HttpsServer,
                         testing::Values(Ending{5, "; the server's certificate ends within 7 days, at "},
                                         Ending{20, "; the server's certificate ends within 30 days, at "},
                                         Ending{365, ""}),
                         [](const auto& ending) { return std::to_string(ending.param.days) + "days"; });

TEST_P(HttpsServer, IsUpAndItsCertificatesEndIsTold) {
  test::TempDir directory;
  const test::Certificates pki(directory.path(), GetParam().days);
  scheme_ = "https";
  serve({pki.server.string(), pki.server_key.string()});
  ask("json", "", "tls: {ca: '" + pki.ca.string() + "'}, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/temp", 3));  // by one connection
  ASSERT_TRUE(says(SourceHealth::up, "every 100ms" + GetParam().words));
  EXPECT_EQ(sink_.reports().back().text.ends_with("every 100ms"), GetParam().words.empty());
  const Metric& ends = metrics_.gauge("source/web/peer_certificate_expiry_timestamp", "s", "");
  const auto day = std::chrono::system_clock::now() + std::chrono::days(GetParam().days);
  EXPECT_NEAR(ends.value(), std::chrono::duration<double>(day.time_since_epoch()).count(), 300);
}

TEST_F(HttpDriver, OfSeveralServersTheCertificateThatEndsFirstCounts) {
  test::TempDir directory;
  test::Certificates pki(directory.path(), 5);
  scheme_ = "https";
  serve({pki.server.string(), pki.server_key.string()});
  const std::string soon = url("json");
  const auto first = std::move(peer_);
  pki.renew(365);
  const int port = test::free_port();
  const test::Process later({"python3", TIDEGATE_SOURCE_DIR "/tests/drivers/http/peer.py", std::to_string(port),
                             pki.server.string(), pki.server_key.string()});
  ASSERT_TRUE(test::wait_for_port(port, 20s));
  start("{name: soon, url: '" + soon + "'}, {name: later, url: 'https://127.0.0.1:" + std::to_string(port) + "/json'}",
        "tls: {ca: '" + pki.ca.string() + "'}, ");
  ASSERT_TRUE(sink_.wait_for_samples("web/later/temp", 2));
  ASSERT_TRUE(says(SourceHealth::up, "2 URLs, every 100ms; soon: the server's certificate ends within 7 days"));
  const Metric& ends = metrics_.gauge("source/web/peer_certificate_expiry_timestamp", "s", "");
  const auto day = std::chrono::system_clock::now() + std::chrono::days(5);
  EXPECT_NEAR(ends.value(), std::chrono::duration<double>(day.time_since_epoch()).count(), 300);
}

TEST_F(HttpDriver, TrustsNoStranger) {
  test::TempDir directory;
  const test::Certificates pki(directory.path());
  scheme_ = "https";
  serve({pki.server.string(), pki.server_key.string()});
  ask("json", "", "tls: {ca: '" + pki.stranger_ca.string() + "'}, ");
  ASSERT_TRUE(says(SourceHealth::down, "certificate"));
}

TEST_F(HttpDriver, TrustsNoCertificateOfAnotherHost) {
  test::TempDir directory;
  const test::Certificates pki(directory.path());
  scheme_ = "https";
  serve({pki.elsewhere.string(), pki.elsewhere_key.string()});
  ask("json", "", "tls: {ca: '" + pki.ca.string() + "'}, ");
  ASSERT_TRUE(says(SourceHealth::down, "127.0.0.1"));
  EXPECT_TRUE(sink_.names().empty());
}

TEST_F(HttpDriver, OptionsThatMakeNoSenseAreProblems) {
  EXPECT_THAT(problem("requests: []"), HasSubstr("no request"));
  EXPECT_THAT(problem("requests: [{url: 'ftp://a/b'}]"), HasSubstr("neither with http:// nor with https://"));
  EXPECT_THAT(problem("requests: [{url: 'http://u:p@a/'}]"), AllOf(HasSubstr("`auth`"), Not(HasSubstr("u:p"))));
  EXPECT_THAT(problem("requests: [{url: 'http://a/b c'}]"), HasSubstr("%20"));
  EXPECT_THAT(problem("requests: [{url: 'http://a'}, {url: 'http://b'}]"), HasSubstr("needs a 'name'"));
  EXPECT_THAT(problem("requests: [{name: x, url: 'http://a'}, {name: x, url: 'http://b'}]"), HasSubstr("called 'x'"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', format: text}]"), HasSubstr("needs a 'pattern'"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', format: text, pattern: 'a(b'}]"), HasSubstr("missing )"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', format: text, pattern: 'a(b)'}]"), HasSubstr("group with a name"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', pattern: '(?P<a>b)'}]"), HasSubstr("'format: text' only"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', metrics: [up]}]"), HasSubstr("'format: prometheus' only"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', method: GET, body: x}]"), HasSubstr("a GET has no body"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', headers: {'a b': x}}]"), HasSubstr("no header's name"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', headers: {a: \"x\\ny: z\"}}]"), HasSubstr("more than one line"));
  EXPECT_THAT(problem("auth: {user: u, token: t}, requests: [{url: 'http://a'}]"), HasSubstr("either"));
  EXPECT_THAT(problem("tls: {certificate: /etc/hostname}, requests: [{url: 'https://a'}]"), HasSubstr("both"));
  EXPECT_THAT(problem("tls: {ca: /no/such}, requests: [{url: 'https://a'}]"), HasSubstr("cannot read /no/such"));
  EXPECT_THAT(problem("series: '{sorce}/x', requests: [{url: 'https://a'}]"), HasSubstr("source"));
  EXPECT_THAT(problem("requests: [{url: 'http://a', fields: {a: /x, b: /x}}]"), HasSubstr("read as 'a' already"));
}

}  // namespace
}  // namespace tidegate::drivers
