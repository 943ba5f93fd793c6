// The port by TLS: what is offered, what is refused, and that no peer holds up the rest.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "tests/dashboard/rig.h"
#include "tests/support/broker.h"
#include "tests/support/pace.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using tidegate::test::Certificates;
using tidegate::test::eventually;
using tidegate::test::parse_response;
using By = RawConnection::By;
namespace fs = std::filesystem;

Options by_tls(const TlsKeeper& keeper = made_certificate()) {
  Options options;
  options.tls = &keeper;
  options.stream.tick = std::chrono::milliseconds(50);
  return options;
}

class ByTls : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  /// What openssl's client says of a connection. It takes whatever it is told to, however weak.
  std::string s_client(std::vector<std::string> options) const {
    std::vector<std::string> command = {"sh", "-c",       "exec openssl s_client \"$@\" </dev/null",
                                        "sh", "-connect", "127.0.0.1:" + std::to_string(rig.port())};
    command.insert(command.end(), options.begin(), options.end());
    return tidegate::test::run(std::move(command)).output;
  }
  bool answers() const { return rig.http().get("/healthz").status == 200; }

  Rig rig{by_tls()};
};

TEST_F(ByTls, TakesVersions12And13AndNoOlder) {
  EXPECT_THAT(s_client({"-tls1_2"}), HasSubstr("Protocol  : TLSv1.2"));
  EXPECT_THAT(s_client({"-tls1_3"}), HasSubstr("New, TLSv1.3, Cipher is TLS_"));
  for (const char* old : {"-tls1", "-tls1_1"}) {
    EXPECT_THAT(s_client({old, "-cipher", "ALL:@SECLEVEL=0"}), HasSubstr("alert protocol version")) << old;
  }
}

TEST_F(ByTls, TakesSuitesThatAgreeOnAKeyAndAuthenticateAndNoOther) {
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_THAT(s_client({"-tls1_2", "-cipher", suite}), HasSubstr(std::string("Cipher is ") + suite));
  }
  // CBC, keys of the certificate's own, no authentication of the server, no encryption at all.
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-CCM8",
        "AES128-GCM-SHA256", "AES128-SHA", "AES256-SHA256", "DHE-RSA-AES256-GCM-SHA384", "AECDH-AES128-SHA",
        "ECDHE-ECDSA-NULL-SHA", "NULL-SHA256", "ECDHE-ECDSA-CAMELLIA128-SHA256", "ECDHE-ECDSA-ARIA128-GCM-SHA256"}) {
    EXPECT_THAT(s_client({"-tls1_2", "-cipher", std::string(suite) + ":@SECLEVEL=0"}),
                AllOf(HasSubstr("alert handshake failure"), Not(HasSubstr(std::string("Cipher is ") + suite))))
        << suite;
  }
}

TEST_F(ByTls, SpeaksHttp11AloneAndNeverRenegotiates) {
  EXPECT_THAT(s_client({"-alpn", "h2,http/1.1"}), HasSubstr("ALPN protocol: http/1.1"));
  EXPECT_THAT(s_client({"-alpn", "h2"}), HasSubstr("alert no application protocol"));
  const std::string port = std::to_string(rig.port());
  EXPECT_THAT(
      tidegate::test::run({"sh", "-c", "{ echo R; sleep 1; } | openssl s_client -tls1_2 -connect 127.0.0.1:" + port})
          .output,
      AllOf(HasSubstr("RENEGOTIATING"), HasSubstr("no renegotiation")));
}

TEST_F(ByTls, ResumesByATicket) {
  const TempDir directory;
  const std::string file = directory / "session";
  const std::string port = std::to_string(rig.port());
  for (const char* version : {"-tls1_2", "-tls1_3"}) {  // a ticket of 1.3 comes after the handshake
    tidegate::test::run(
        {"sh", "-c",
         "printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | openssl "
         "s_client -ign_eof -connect 127.0.0.1:" +
             port + " " + version + " -sess_out " + file});
    EXPECT_THAT(s_client({version, "-sess_in", file}), HasSubstr("Reused, TLS")) << version;
  }
}

TEST_F(ByTls, AnswersRequestsInWhateverPiecesTheyCome) {
  RawConnection drip(rig.port(), 0, By::tls);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const char c : request) ASSERT_TRUE(drip.send(std::string(1, c)));
  drip.send(request + request + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answers = drip.receive_all();
  int count = 0;
  for (auto at = answers.find("HTTP/1.1 200"); at != answers.npos; at = answers.find("HTTP/1.1 200", at + 1)) ++count;
  EXPECT_EQ(count, 4);
}

TEST_F(ByTls, TheSocketInTheFileSystemStaysPlain) {
  const TempDir directory;
  Options options = by_tls();
  options.socket = directory / "t.sock";
  Rig with_socket(options);
  with_socket.serve();
  EXPECT_EQ(HttpClient(options.socket).get("/healthz").status, 200);
  EXPECT_EQ(with_socket.http().get("/healthz").status, 200);
}

TEST_F(ByTls, WhoAsksIsKnownToComeBySecureWays) {
  EXPECT_THAT(rig.http().get("/api/v1/session").body, HasSubstr(R"("secure":true)"));
}

// ---- who comes plainly

TEST_F(ByTls, WhoComesPlainlyIsSentToHttps) {
  const HttpClient plain(rig.port());
  const std::string port = std::to_string(rig.port());
  const auto moved = plain.get("/api/v1/alerts?x=1");
  EXPECT_EQ(moved.status, 308);
  EXPECT_EQ(moved.headers.at("location"), "https://127.0.0.1:" + port + "/api/v1/alerts?x=1");
  EXPECT_EQ(plain.get("/", {{"Host", "box.local"}}).headers.at("location"), "https://box.local:" + port + "/");
  EXPECT_EQ(plain.get("/", {{"Host", "evil.example"}}).status, 421);
}

TEST_F(ByTls, NothingIsDoneForWhoComesPlainly) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  const HttpClient plain(rig.port());
  EXPECT_EQ(plain.post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})").status, 403);
  EXPECT_EQ(plain.get("/api/v1/stream").status, 308);
  EXPECT_TRUE(rig.gateway.wishes().empty());
  EXPECT_EQ(rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})").status, 200);
}

// ---- peers that mean no good

/// The beginning of a TLS record that would hold a ClientHello.
const std::string kHalfHello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);

TEST_F(ByTls, SixtyFourThatDripTheirHelloDoNotDelayTheRest) {
  std::vector<RawConnection> drips;
  for (int i = 0; i < 64; ++i) {
    drips.emplace_back(rig.port());
    drips.back().send(kHalfHello);
  }
  std::vector<tidegate::test::Millis> took;
  for (int round = 0; round < 20; ++round) {
    for (auto& drip : drips) drip.send("x");
    took.push_back(tidegate::test::time_of([&] { ASSERT_TRUE(answers()) << round; }));
  }
  EXPECT_LT(tidegate::test::median(std::move(took)), tidegate::test::kPrompt);
}

TEST_F(ByTls, AHandshakeThatNeverEndsIsGivenUp) {
  RawConnection silent(rig.port()), half(rig.port());
  half.send(kHalfHello);
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_EQ(half.receive_all(), "");
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(half.closed());
}

TEST_F(ByTls, GarbageEndsItsOwnConnectionAlone) {
  for (const std::string& garbage :
       {std::string("\x16garbage that goes on for longer than a header"),
        std::string("\x16\x03\x01\xff\xff") + std::string(70'000, 'a'),
        std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9), kHalfHello + std::string(600, '\0'),
        std::string("\x15\x03\x01\x00\x02\x02\x28", 7), std::string("\x80\x2e\x01\x00\x02", 5) + "\r\n\r\n"}) {
    RawConnection connection(rig.port());
    connection.send(garbage);
    connection.receive_all();
    EXPECT_TRUE(connection.closed());
    ASSERT_TRUE(answers());
  }
}

TEST_F(ByTls, ClosingInTheMiddleOfAHandshakeLeavesNothing) {
  for (int i = 0; i < 300; ++i) {
    RawConnection connection(rig.port());
    connection.send(i % 2 == 0 ? kHalfHello : "\x16");
  }
  ASSERT_TRUE(answers());
}

// ---- slow readers

TEST_F(ByTls, ALargeAnswerComesWholeToASlowReader) {
  const std::string target = large_history(rig);
  const std::string expected = rig.http().get(target).body;
  ASSERT_GT(expected.size(), 2'000'000u);
  RawConnection slow(rig.port(), 4096, By::tls);
  slow.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + rig.authorization() + "\r\n");
  ASSERT_TRUE(eventually([&] { return rig.metrics.gauge("http/waiting_bytes", "", "").value() > 0; }));
  EXPECT_TRUE(answers());
  EXPECT_EQ(parse_response(slow.receive_all(std::chrono::minutes(2))).body, expected);
}

// ---- certificates that change

class OwnCertificate : public testing::Test {
 protected:
  void SetUp() override {
    put(pki.server, files.certificate);
    put(pki.server_key, files.key);
    keeper = TlsKeeper::open({.own = files}, std::nullopt).value();
  }
  static void put(const fs::path& from, const fs::path& to) {
    fs::copy_file(from, to.string() + ".new");
    fs::rename(to.string() + ".new", to);
  }
  /// Does somebody who trusts the test's authority alone get an answer from `host`?
  std::string curl(const Rig& rig, const std::string& host) const {
    return tidegate::test::run({"curl", "-sS", "-i", "--noproxy", "*", "--cacert", pki.ca, "--resolve",
                                host + ":" + std::to_string(rig.port()) + ":127.0.0.1",
                                "https://" + host + ":" + std::to_string(rig.port()) + "/healthz"})
        .output;
  }

  TempDir directory;
  const Certificates pki{directory.path()};
  const Tls::Files files{directory / "own.pem", directory / "own.key"};
  std::unique_ptr<TlsKeeper> keeper;
};

TEST_F(OwnCertificate, IsTrustedByWhoTrustsItsIssuer) {
  Rig rig(by_tls(*keeper));
  rig.serve();
  EXPECT_THAT(curl(rig, "localhost"),
              AllOf(HasSubstr("HTTP/1.1 200"), HasSubstr("Strict-Transport-Security: max-age=")));
}

TEST_F(OwnCertificate, IsRenewedForNewConnectionsWhileAStreamGoesOn) {
  Options options = by_tls(*keeper);
  options.hosts = {"elsewhere.example"};
  Rig rig(options);
  const auto series = rig.series("a/b");
  rig.commit({reading(series, 1)});
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  EXPECT_THAT(curl(rig, "localhost"), HasSubstr("HTTP/1.1 200"));
  put(pki.elsewhere, files.certificate);
  put(pki.elsewhere_key, files.key);
  ASSERT_EQ(keeper->look({}).size(), 1u);
  EXPECT_THAT(curl(rig, "elsewhere.example"), HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(curl(rig, "localhost"), HasSubstr("no alternative certificate subject name matches"));
  rig.commit({reading(series, 2, std::chrono::seconds(1))});
  EXPECT_TRUE(viewer.wait_for("delta"));
}

TEST_F(ByTls, OfItsOwnMakingAsksForNoStrictTransport) {
  EXPECT_FALSE(rig.http().get("/").headers.contains("strict-transport-security"));
}

// ---- behind another server

/// An nginx that holds answers back, as it does where nothing else is said.
struct Nginx {
  explicit Nginx(int upstream) {
    directory.write("nginx.conf", fmt::format(R"(
daemon off; master_process off; pid {0}/pid; error_log stderr;
events {{}}
http {{
  access_log off; proxy_buffering on;
  client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;
  server {{
    listen 127.0.0.1:{1};
    location / {{ proxy_pass https://127.0.0.1:{2}; proxy_http_version 1.1; proxy_set_header Host $http_host; }}
  }}
}})",
                                              directory.path().string(), port, upstream));
    process.emplace(
        std::vector<std::string>{"nginx", "-p", directory.path(), "-e", "stderr", "-c", directory / "nginx.conf"});
    if (!tidegate::test::wait_for_port(port, std::chrono::seconds(20))) throw std::runtime_error(process->output());
  }

  TempDir directory;
  const int port = tidegate::test::free_port();
  std::optional<tidegate::test::Process> process;
};

TEST_F(ByTls, AStreamStaysLiveBehindAServerThatHoldsAnswersBack) {
  const auto series = rig.series("a/b");
  rig.commit({reading(series, 0)});
  const Nginx nginx(rig.port());
  SseClient viewer(nginx.port, {.headers = rig.authorization()});
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  for (int i = 1; i <= 3; ++i) {
    rig.commit({reading(series, i, std::chrono::seconds(i))});
    EXPECT_TRUE(viewer.wait_for("delta", [&](const SseEvent& event) {
      return event.json()["values"].begin().value()[1] == i;
    })) << "less than nginx would fill its buffer with";
  }
}

// ---- streams

TEST_F(ByTls, AStreamGoesOnAfterARestartAndIsToldBye) {
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  const Seq first = rig.commit(transition(hot_boiler(Phase::active), Phase::normal, "raised"));
  ASSERT_TRUE(viewer.wait_for("alert"));
  rig.stop();
  EXPECT_TRUE(viewer.wait_for("bye"));
  EXPECT_TRUE(viewer.ended());
  rig.reopen();
  rig.serve();
  rig.commit(transition(hot_boiler(Phase::normal), Phase::active, "cleared"));
  auto again = rig.viewer(rig.id(first));
  const auto missed = again.wait_for("alert");
  ASSERT_TRUE(missed);
  EXPECT_THAT(missed->data, HasSubstr("cleared"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
