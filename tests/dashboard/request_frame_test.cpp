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

const RequestLimits kTakesSamples{.samples = 100,
                                  .takes_samples = [](std::string_view path) { return path == "/samples"; }};

RequestFrame samples_frame(std::string_view headers) {
  std::size_t searched = 0;
  return frame_request("POST /samples?x=1 HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n\r\n", searched,
                       kTakesSamples);
}

TEST(RequestFrame, SamplesHaveABoundOfTheirOwn) {
  EXPECT_EQ(samples_frame("Content-Length: 100").body_bytes, 100u);
  EXPECT_EQ(samples_frame("Content-Length: 101").status, 413);
  std::size_t searched = 0;
  EXPECT_EQ(frame_request("POST /other HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", searched, kTakesSamples).status,
            411);
  EXPECT_EQ(samples_frame("Transfer-Encoding: gzip, chunked").status, 411);
  for (const char* both :
       {"Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"}) {
    EXPECT_EQ(samples_frame(both).status, 400) << both;
  }
}

/// The body that chunks are joined to, given so many bytes at a time; "refused 400" and the like, or "incomplete".
std::string joined(const std::string& chunks, std::size_t step) {
  RequestFrame frame = samples_frame("Transfer-Encoding: Chunked");
  EXPECT_TRUE(frame.chunked);
  std::string bytes(frame.head_bytes, ' ');
  auto state = State::incomplete;
  for (std::size_t at = 0; at < chunks.size() && state == State::incomplete; at += step) {
    bytes += chunks.substr(at, step);
    state = join_chunks(bytes, frame, kTakesSamples);
  }
  if (state == State::incomplete) return "incomplete";
  if (state == State::refused) return "refused " + std::to_string(frame.status);
  EXPECT_EQ(frame.head, "POST /samples?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(frame.body_bytes) +
                            "\r\n\r\n");
  return bytes.substr(frame.head_bytes, frame.body_bytes);
}

TEST(RequestFrame, ChunksAreJoinedHoweverTheyCome) {
  const std::string chunks = "5\r\nhello\r\nA\r\n, \r\n world\r\n00\r\n\r\n";
  for (std::size_t step = 1; step <= chunks.size(); ++step)
    EXPECT_EQ(joined(chunks, step), "hello, \r\n world") << step;
  EXPECT_EQ(joined("0\r\n\r\n", 100), "");
}

TEST(RequestFrame, WhatStandsBehindTheChunksIsTheNextRequest) {
  RequestFrame frame = samples_frame("Transfer-Encoding: chunked");
  std::string bytes = std::string(frame.head_bytes, ' ') + "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  ASSERT_EQ(join_chunks(bytes, frame, kTakesSamples), State::complete);
  EXPECT_EQ(bytes.substr(frame.head_bytes + frame.body_bytes), "GET / HTTP/1.1\r\n");
}

TEST(RequestFrame, ChunksThatAreNoneAreRefused) {
  for (const std::size_t step : {1, 1000}) {
    for (const char* wrong : {"x\r\n", "5;a=b\r\nhello\r\n", "-1\r\n", "\r\n", "5\nhello\r\n", "3\r\nhello\r\n",
                              "0\r\nX: y\r\n\r\n", "0000000000005\r\nhello\r\n"}) {
      EXPECT_EQ(joined(wrong, step), "refused 400") << wrong;
    }
    EXPECT_EQ(joined("65\r\n", step), "refused 413");
    EXPECT_EQ(joined("64\r\n" + std::string(100, 'a') + "\r\n1\r\n", step), "refused 413");
    EXPECT_EQ(joined("ffffffff\r\n", step), "refused 413");
    EXPECT_EQ(joined("5\r\nhell", step), "incomplete");
  }
}

TEST(RequestFrame, TheTargetsPathHasNoQuery) {
  EXPECT_EQ(target_path("GET /api/v1/history?series=a HTTP/1.1\r\n\r\n"), "/api/v1/history");
  EXPECT_EQ(target_path("GET / HTTP/1.1\r\n\r\n"), "/");
  EXPECT_EQ(target_path("nonsense"), "");
}

}  // namespace
}  // namespace tidegate::dashboard
