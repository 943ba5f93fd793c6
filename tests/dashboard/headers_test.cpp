// What tells a browser what it may do: the same headers, word for word, on whatever leaves the server by whatever way.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "tests/dashboard/rig.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::ElementsAreArray;
using testing::StartsWith;
using tidegate::test::eventually;

const std::vector<std::string> kOfAllAnswers = {
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "cross-origin-opener-policy: same-origin",
    "referrer-policy: same-origin",
    "x-content-type-options: nosniff",
    "x-frame-options: DENY",
};

/// Those of a head that tell a browser what it may do, or others what answers here; by their names.
std::vector<std::string> telling_headers(const std::string& head) {
  constexpr const char* kTelling[] = {"access-control-",
                                      "content-security-policy",
                                      "cross-origin-",
                                      "feature-policy:",
                                      "permissions-policy:",
                                      "referrer-policy:",
                                      "server:",
                                      "strict-transport-security:",
                                      "via:",
                                      "x-"};
  std::vector<std::string> out;
  std::istringstream lines(head);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const auto name = line.begin() + static_cast<std::ptrdiff_t>(std::min(line.find(':'), line.size()));
    std::transform(line.begin(), name, line.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto is_one = [&](const char* prefix) { return line.starts_with(prefix); };
    if (std::ranges::any_of(kTelling, is_one) && !line.starts_with("x-accel-buffering:")) out.push_back(line);
  }
  std::ranges::sort(out);
  return out;
}

class Headers : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  std::string head_of_answer(const std::string& request) {
    RawConnection connection(rig.port(), 0, rig.by());
    connection.send(request);
    std::string got;
    EXPECT_TRUE(eventually([&] {
      connection.receive(got, std::chrono::milliseconds(100));
      return got.find("\r\n\r\n") != got.npos;
    })) << request;
    return got.substr(0, got.find("\r\n\r\n"));
  }
  void expect_all(const std::string& request_line, const std::string& headers, const std::string& status) {
    const std::string head = head_of_answer(request_line + " HTTP/1.1\r\n" + headers + "\r\n");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 " + status + " ")) << request_line;
    EXPECT_THAT(telling_headers(head), ElementsAreArray(kOfAllAnswers)) << request_line << "\n" << head;
  }
  std::string etag_of_page() {
    const std::string head = head_of_answer("GET / HTTP/1.1\r\n" + kHost + "\r\n");
    const auto at = head.find("ETag: ");
    return head.substr(at + 6, head.find("\r\n", at) - at - 6);
  }

  const std::string kHost = "Host: localhost\r\n";
  Rig rig{{.max_streams = 1}};
};

TEST_F(Headers, OfPagesAreTheseWordForWord) {
  expect_all("GET /", kHost, "200");
  expect_all("HEAD /", kHost, "200");
  expect_all("GET /", kHost + "Accept-Encoding: gzip\r\n", "200");
  expect_all("GET /", kHost + "If-None-Match: " + etag_of_page() + "\r\n", "304");
}

TEST_F(Headers, OfAnswersOfTheApiAreTheseWordForWord) {
  const std::string admin = kHost + rig.authorization();
  expect_all("GET /healthz", kHost, "200");
  expect_all("GET /metrics", admin, "200");
  expect_all("GET /api/v1/series", admin, "200");
  expect_all("HEAD /api/v1/series", admin, "200");
  expect_all("GET /api/v1/history", admin, "400");
  expect_all("POST /api/v1/reload", admin + "Content-Type: application/json\r\nContent-Length: 0\r\n", "400");
}

TEST_F(Headers, OfRefusalsByTheGuardAreTheseWordForWord) {
  expect_all("GET /api/v1/series", kHost, "401");
  expect_all("GET /api/v1/series", "Host: evil.example\r\n", "421");
  expect_all("GET /no/such", kHost, "404");
  expect_all("PUT /api/v1/series", kHost, "405");
  expect_all("OPTIONS /api/v1/series", kHost + "Origin: http://evil.example\r\n", "405");
  expect_all("POST /api/v1/reload", kHost + "Content-Type: text/plain\r\n", "415");
  expect_all("POST /api/v1/reload", kHost + "Content-Type: application/json\r\nOrigin: http://evil.example\r\n", "403");
  expect_all("GET /api/v1/series", "", "400");
}

TEST_F(Headers, OfRefusalsBeforeAnythingIsParsedAreTheseWordForWord) {
  expect_all("GET /" + std::string(9000, 'a'), kHost, "414");
  expect_all("GET /", kHost + "X: " + std::string(9000, 'a') + "\r\n", "431");
  expect_all("POST /api/v1/reload", kHost + "Content-Length: 2000000\r\n", "413");
  expect_all("POST /api/v1/reload", kHost + "Transfer-Encoding: chunked\r\n", "411");
  expect_all("GET /", kHost + " folded\r\n", "400");
  expect_all("BREW /pot", kHost, "400");
}

TEST_F(Headers, OfTheStreamAreTheseWordForWord) {
  const std::string admin = kHost + rig.authorization();
  expect_all("HEAD /api/v1/stream", admin, "200");
  expect_all("GET /api/v1/stream", kHost, "401");
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  EXPECT_THAT(telling_headers(viewer.head()), ElementsAreArray(kOfAllAnswers));
  expect_all("GET /api/v1/stream", admin, "200");  // which is told that there are too many
}

TEST_F(Headers, OfABackupForWhichThereIsNoRoomAreTheseWordForWord) {
  expect_all("GET /api/v1/backup", kHost + rig.authorization(), "503");
}

class HeadersOfBackup : public Headers {
 protected:
  void SetUp() override {
    rig.gateway.backup_directory = directory.path();
    Headers::SetUp();
  }
  TempDir directory;
};

TEST_F(HeadersOfBackup, AreTheseWordForWord) { expect_all("GET /api/v1/backup", kHost + rig.authorization(), "200"); }

TEST(HeadersByTls, AreTheSameAndOfTheWayToItToo) {
  Options options;
  options.tls = &made_certificate();
  Rig rig(options);
  rig.serve();
  for (const auto by : {RawConnection::By::tls, RawConnection::By::plain}) {
    RawConnection connection(rig.port(), 0, by);
    connection.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string answer = connection.receive_all();
    EXPECT_THAT(answer, StartsWith(by == RawConnection::By::tls ? "HTTP/1.1 200 " : "HTTP/1.1 308 "));
    EXPECT_THAT(telling_headers(answer.substr(0, answer.find("\r\n\r\n"))), ElementsAreArray(kOfAllAnswers))
        << "nobody is held to a certificate that the box has made itself";
  }
}

}  // namespace
}  // namespace tidegate::dashboard::test
