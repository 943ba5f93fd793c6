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
  HeaderReader(RequestFrame& frame, const RequestLimits& limits) : frame_(frame), limits_(limits) {}

  bool accept(std::string_view line) {
    if (++count_ > limits_.headers) return refuse(431, "too many headers");
    if (line.size() > limits_.header_line) return refuse(431, "a header line is too long");
    const auto colon = line.find(':');
    if (has_control(line) || colon == line.npos || !token(line.substr(0, colon))) {
      return refuse(400, "a header line is malformed");
    }
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (same_word(name, "Transfer-Encoding")) return refuse(411, "send a Content-Length; chunked bodies are not taken");
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
    if (length_seen_) return refuse(400, "more than one Content-Length");
    length_seen_ = true;
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error == std::errc::result_out_of_range) return refuse(413, "the body is too large");
    if (error != std::errc() || end != value.data() + value.size()) return refuse(400, "Content-Length is no number");
    if (length > limits_.body) return refuse(413, "the body is too large");
    frame_.body_bytes = length;
    return true;
  }
  bool take_expectation(std::string_view value) {
    if (!same_word(value, "100-continue")) return refuse(417, "only 'Expect: 100-continue' is understood");
    frame_.expects_continue = true;
    return true;
  }

  RequestFrame& frame_;
  const RequestLimits& limits_;
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

std::string_view target_path(std::string_view head) {
  const auto start = head.find(' ');
  if (start == head.npos) return {};
  const auto rest = head.substr(start + 1);
  return rest.substr(0, rest.find_first_of("? \r"));
}

}  // namespace tidegate::dashboard
