#include "dashboard/request_frame.h"

#include <gtest/gtest.h>

namespace tidegate::dashboard {
namespace {

using State = RequestFrame::State;

RequestFrame frame_of(std::string_view bytes) {
  std::size_t searched = 0;
  return frame_request(bytes, searched);
}

TEST(RequestFrame, FindsTheEndOfHeadAndBody) {
  const auto frame = frame_of("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /");
  ASSERT_EQ(frame.state, State::complete);
  EXPECT_EQ(frame.head_bytes, 48u);
  EXPECT_EQ(frame.body_bytes, 5u);
  EXPECT_EQ(frame.head, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
}

TEST(RequestFrame, ByteByByteGivesWhatAllAtOnceGives) {
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t searched = 0;
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_EQ(frame_request(std::string_view(request).substr(0, size), searched).state, State::incomplete) << size;
  }
  EXPECT_EQ(frame_request(request, searched).head_bytes, request.size());
}

TEST(RequestFrame, RangeAndExpectAreSettledHere) {
  const auto frame = frame_of("GET / HTTP/1.1\r\nrange: bytes=0-1\r\nHost: a\r\nExpect: 100-continue\r\nX: y\r\n\r\n");
  ASSERT_EQ(frame.state, State::complete);
  EXPECT_TRUE(frame.expects_continue);
  EXPECT_EQ(frame.head, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
}

struct Refusal {
  const char* what;
  std::string request;
  int status;
};
class RequestFrameRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(RequestFrameRefuses, WithTheRightStatus) {
  const auto frame = frame_of(GetParam().request);
  ASSERT_EQ(frame.state, State::refused);
  EXPECT_EQ(frame.status, GetParam().status) << frame.why;
  EXPECT_FALSE(frame.why.empty());
}

std::string with_header(const std::string& header) { return "POST / HTTP/1.1\r\n" + header + "\r\n\r\n"; }

std::string many_headers() {
  std::string headers;
  for (int i = 0; i < 65; ++i) headers += "X: y\r\n";
  return "GET / HTTP/1.1\r\n" + headers + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Requests, RequestFrameRefuses,
    testing::Values(Refusal{"long_line", "GET /" + std::string(5000, 'a'), 414},
                    Refusal{"long_line_complete", "GET /" + std::string(4096, 'a') + " HTTP/1.1\r\n\r\n", 414},
                    Refusal{"endless_head", "GET / HTTP/1.1\r\n" + std::string(70'000, 'a'), 431},
                    Refusal{"long_header", with_header("X: " + std::string(8200, 'a')), 431},
                    Refusal{"many_headers", many_headers(), 431},
                    Refusal{"large_body", with_header("Content-Length: 65537"), 413},
                    Refusal{"huge_body", with_header("Content-Length: 99999999999999999999999"), 413},
                    Refusal{"negative_body", with_header("Content-Length: -1"), 400},
                    Refusal{"two_lengths", with_header("Content-Length: 1\r\nContent-Length: 1"), 400},
                    Refusal{"empty_length", with_header("Content-Length:"), 400},
                    Refusal{"chunked", with_header("Transfer-Encoding: chunked"), 411},
                    Refusal{"folded", with_header("X: a\r\n b"), 400},
                    Refusal{"no_colon", with_header("nonsense"), 400},
                    Refusal{"space_before_colon", with_header("Content-Length : 5"), 400},
                    Refusal{"bare_lf", with_header("X: a\nContent-Length: 5"), 400},
                    Refusal{"nul", with_header(std::string("X: a\0b", 6)), 400},
                    Refusal{"control_in_target", "GET /\x01 HTTP/1.1\r\n\r\n", 400},
                    Refusal{"odd_expectation", with_header("Expect: the-unexpected"), 417}),
    [](const auto& each) { return each.param.what; });

TEST(RequestFrame, TheTargetsPathHasNoQuery) {
  EXPECT_EQ(target_path("GET /api/v1/history?series=a HTTP/1.1\r\n\r\n"), "/api/v1/history");
  EXPECT_EQ(target_path("GET / HTTP/1.1\r\n\r\n"), "/");
  EXPECT_EQ(target_path("nonsense"), "");
}

}  // namespace
}  // namespace tidegate::dashboard
