#include "dashboard/request_frame.h"

#include <algorithm>
#include <charconv>

#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

RequestFrame refused(int status, std::string_view why) {
  RequestFrame frame;
  frame.state = RequestFrame::State::refused;
  frame.status = status;
  frame.why = why;
  return frame;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos;
  });
}

bool has_control(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

/// Reads one header line into `frame`; a status and sentence where it is not acceptable.
class HeaderReader {
 public:
  HeaderReader(RequestFrame& frame, const RequestLimits& limits)
      : frame_(frame),
        limits_(limits),
        takes_samples_(limits.takes_samples != nullptr && limits.takes_samples(target_path(frame.head))) {}

  bool accept(std::string_view line) {
    if (++count_ > limits_.headers) return refuse(431, "too many headers");
    if (line.size() > limits_.header_line) return refuse(431, "a header line is too long");
    const auto colon = line.find(':');
    if (has_control(line) || colon == line.npos || !token(line.substr(0, colon))) {
      return refuse(400, "a header line is malformed");
    }
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (same_word(name, "Transfer-Encoding")) return take_encoding(value);
    if (same_word(name, "Content-Length")) return take_length(value) && keep(line);
    if (same_word(name, "Expect")) return take_expectation(value);
    if (same_word(name, "Range")) return true;
    return keep(line);
  }

 private:
  bool refuse(int status, std::string_view why) {
    frame_ = refused(status, why);
    return false;
  }
  bool keep(std::string_view line) {
    frame_.head.append(line).append("\r\n");
    return true;
  }
  bool take_length(std::string_view value) {
    if (length_seen_ || frame_.chunked) return refuse(400, "more than one Content-Length, or chunks beside it");
    length_seen_ = true;
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error == std::errc::result_out_of_range) return refuse(413, "the body is too large");
    if (error != std::errc() || end != value.data() + value.size()) return refuse(400, "Content-Length is no number");
    if (length > (takes_samples_ ? limits_.samples : limits_.body)) return refuse(413, "the body is too large");
    frame_.body_bytes = length;
    return true;
  }
  bool take_encoding(std::string_view value) {
    if (!takes_samples_ || !same_word(value, "chunked")) {
      return refuse(411, "send a Content-Length; chunked bodies are not taken");
    }
    if (length_seen_ || frame_.chunked) return refuse(400, "chunks beside a Content-Length, or twice");
    frame_.chunked = true;
    return true;
  }
  bool take_expectation(std::string_view value) {
    if (!same_word(value, "100-continue")) return refuse(417, "only 'Expect: 100-continue' is understood");
    frame_.expects_continue = true;
    return true;
  }

  RequestFrame& frame_;
  const RequestLimits& limits_;
  const bool takes_samples_;
  std::size_t count_ = 0;
  bool length_seen_ = false;
};

}  // namespace

RequestFrame frame_request(std::string_view bytes, std::size_t& searched, const RequestLimits& limits) {
  const auto end = bytes.find(kEndOfHead, searched);
  if (end == bytes.npos) {
    if (bytes.size() > limits.head) return refused(431, "the request's head is too large");
    if (searched <= limits.request_line && bytes.size() > limits.request_line + 2 &&
        bytes.substr(0, limits.request_line + 2).find("\r\n") == bytes.npos) {
      return refused(414, "the request line is too long");
    }
    searched = bytes.size() < kEndOfHead.size() ? 0 : bytes.size() - kEndOfHead.size() + 1;
    return {};
  }
  if (end > limits.head) return refused(431, "the request's head is too large");

  const auto head = bytes.substr(0, end + 2);
  const auto line_end = head.find("\r\n");
  if (line_end > limits.request_line) return refused(414, "the request line is too long");
  if (has_control(head.substr(0, line_end))) return refused(400, "the request line is malformed");

  RequestFrame frame;
  frame.head.assign(head.substr(0, line_end + 2));
  HeaderReader reader(frame, limits);
  for (std::size_t at = line_end + 2; at < head.size();) {
    const auto next = head.find("\r\n", at);
    if (!reader.accept(head.substr(at, next - at))) return frame;
    at = next + 2;
  }
  frame.head.append("\r\n");
  frame.head_bytes = end + kEndOfHead.size();
  frame.state = RequestFrame::State::complete;
  return frame;
}

namespace {

constexpr std::string_view kEndOfLine = "\r\n";

RequestFrame::State refuse_chunks(RequestFrame& frame, int status, std::string_view why) {
  frame.status = status;
  frame.why = why;
  return RequestFrame::State::refused;
}

/// One part of the chunks at `from`, whose data goes to `to`; incomplete where more has to come.
RequestFrame::State take_part(std::string& bytes, std::size_t& from, std::size_t& to, RequestFrame& frame,
                              std::size_t most) {
  using Part = RequestFrame::ChunkPart;
  constexpr std::size_t kLongestSize = 8;
  const std::string_view rest = std::string_view(bytes).substr(from);
  if (frame.expects == Part::data) {
    const std::size_t count = std::min(frame.chunk_left, rest.size());
    std::copy_n(rest.begin(), count, bytes.begin() + static_cast<std::ptrdiff_t>(to));
    from += count;
    to += count;
    frame.chunk_left -= count;
    if (frame.chunk_left > 0) return RequestFrame::State::incomplete;
    frame.expects = Part::end_of_data;
  } else if (frame.expects == Part::size) {
    const auto digits = rest.substr(0, kLongestSize + kEndOfLine.size()).find(kEndOfLine);
    if (digits == rest.npos && rest.size() < kLongestSize + kEndOfLine.size()) return RequestFrame::State::incomplete;
    const auto line = rest.substr(0, digits);
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), frame.chunk_left, 16);
    if (digits == rest.npos || error != std::errc() || end != line.data() + line.size()) {
      return refuse_chunks(frame, 400, "a chunk's size is malformed");
    }
    if (frame.chunk_left > most - frame.body_bytes) return refuse_chunks(frame, 413, "the body is too large");
    frame.body_bytes += frame.chunk_left;
    frame.expects = frame.chunk_left > 0 ? Part::data : Part::end_of_body;
    from += line.size() + kEndOfLine.size();
  } else {
    if (rest.size() < kEndOfLine.size()) return RequestFrame::State::incomplete;
    if (!rest.starts_with(kEndOfLine)) return refuse_chunks(frame, 400, "a chunk does not end where it should");
    from += kEndOfLine.size();
    frame.chunked = frame.expects != Part::end_of_body;
    frame.expects = Part::size;
  }
  return RequestFrame::State::complete;
}

}  // namespace

RequestFrame::State join_chunks(std::string& bytes, RequestFrame& frame, const RequestLimits& limits) {
  const std::size_t joined = frame.head_bytes + frame.body_bytes - frame.chunk_left;
  std::size_t from = joined, to = joined;
  auto state = RequestFrame::State::complete;
  while (frame.chunked && state == RequestFrame::State::complete) {
    state = take_part(bytes, from, to, frame, limits.samples);
  }
  bytes.erase(to, from - to);
  if (!frame.chunked) {
    frame.head.insert(frame.head.size() - kEndOfLine.size(),
                      "Content-Length: " + std::to_string(frame.body_bytes) + "\r\n");
  }
  return state;
}

std::string_view target_path(std::string_view head) {
  const auto start = head.find(' ');
  if (start == head.npos) return {};
  const auto rest = head.substr(start + 1);
  return rest.substr(0, rest.find_first_of("? \r"));
}

}  // namespace tidegate::dashboard
