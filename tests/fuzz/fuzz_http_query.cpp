// What a client sends: the head of a request and where it ends, then the same bytes as query parameters, as
// Last-Event-ID and as the body of what is asked of an alert.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dashboard/guard.h"
#include "dashboard/query.h"
#include "dashboard/request_frame.h"
#include "gateway/core/text.h"

using namespace tidegate;
using namespace tidegate::dashboard;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_frame(std::string_view bytes) {
  std::size_t searched = 0;
  const auto frame = frame_request(bytes, searched);
  if (frame.state != RequestFrame::State::complete) return;
  require(frame.head_bytes <= bytes.size() && frame.head.size() <= frame.head_bytes);
  require(frame.body_bytes <= RequestLimits{}.body);
  std::size_t again = 0;
  const auto second = frame_request(frame.head, again);  // what is handed on must mean the same to the next parser
  require(second.state == RequestFrame::State::complete && second.head == frame.head);
  require(second.body_bytes == frame.body_bytes);
  target_path(frame.head);
}

/// Chunks that come piece by piece are joined to what they are joined to when all comes at once, and never outgrow
/// their bound.
void check_chunks(std::string_view bytes) {
  const RequestLimits limits{.samples = 4096, .takes_samples = [](std::string_view) { return true; }};
  const auto frame_of = [&] {
    std::size_t searched = 0;
    return frame_request("POST /s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", searched, limits);
  };
  RequestFrame whole = frame_of(), pieces = whole;
  std::string all(whole.head_bytes, ' '), part = all;
  all += bytes;
  const auto state = join_chunks(all, whole, limits);
  auto met = RequestFrame::State::incomplete;
  for (std::size_t i = 0; i < bytes.size() && met == RequestFrame::State::incomplete; ++i) {
    part += bytes[i];
    met = join_chunks(part, pieces, limits);
  }
  require(bytes.empty() || met == state);
  require(whole.body_bytes <= limits.samples);
  if (state != RequestFrame::State::complete) return;
  require(!whole.chunked && whole.head == pieces.head && whole.body_bytes == pieces.body_bytes);
  require(all.compare(0, whole.head_bytes + whole.body_bytes, part) == 0);
}

void check_query(std::string_view bytes) {
  Query query;
  for (const auto pair : split(bytes, '&')) {
    const auto equals = pair.find('=');
    query.emplace(pair.substr(0, equals), equals == pair.npos ? "" : pair.substr(equals + 1));
  }
  if (const auto history = parse_history(query, Timestamp{std::chrono::seconds(1'700'000'000)})) {
    require(history->from < history->to && history->points >= 1);
    require(history->points * history->series.size() <= HistoryQuery::kMaxPointsInAll);
  }
  if (const auto limit = parse_limit(query, 100, 1000)) require(*limit >= 1 && *limit <= 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_frame(text);
  check_chunks(text);
  check_query(text);
  if (const auto id = parse_event_id(text)) require(!id->epoch.empty() && number(id->seq) >= 0);
  if (const auto wish = parse_acknowledge(text)) {
    require(!wish->alert.empty() && valid_utf8(wish->alert) && valid_utf8(wish->note) && valid_utf8(wish->who));
  }
  constexpr Timestamp kNow{std::chrono::seconds(1'700'000'000)};
  if (const auto wish = parse_shelve(text, kNow)) {
    require(!wish->alert.empty() && !wish->why.empty() && valid_utf8(wish->why) && valid_utf8(wish->who));
    require(wish->until == kOutOfService ||
            (wish->until >= kNow + kShortestShelf && wish->until <= kNow + kLongestShelf));
  }
  if (const auto wish = parse_unshelve(text)) require(!wish->alert.empty() && wish->until == Timestamp{});
  static const HostAllowList hosts({"gateway-7"});
  if (hosts.allows(text)) require(text.size() > 0);
  same_origin(text, "box.local");
  return 0;
}
