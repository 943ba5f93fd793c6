// What a client sends: the head of a request and where it ends, then the same bytes as query parameters, as headers,
// and as the body of everything that takes one.

#include <array>
#include <cstdint>
#include <string_view>

#include "dashboard/guard.h"
#include "dashboard/gzip.h"
#include "dashboard/query.h"
#include "dashboard/request_frame.h"
#include "dashboard/snappy_body.h"
#include "dashboard/to_https.h"
#include "gateway/core/text.h"
#include "tests/fuzz/response.h"

using namespace tidegate;
using namespace tidegate::dashboard;

namespace {

using fuzz::require;

constexpr Timestamp kNow{std::chrono::seconds(1'700'000'000)};
constexpr std::size_t kMaxNote = 2048;

const HostAllowList& hosts() {
  static const HostAllowList kHosts({"gateway-7"});
  return kHosts;
}

/// A refusal is the peer's fault, and can be told as JSON.
template <typename Checked>
const Checked& told(const Checked& checked) {
  if (!checked) {
    require(checked.error().code == Errc::invalid);
    require(!checked.error().text.empty() && valid_utf8(checked.error().text));
  }
  return checked;
}

bool is_note(std::string_view text) { return text.size() <= kMaxNote && valid_utf8(text); }

/// Leads to one of our own names, or refuses.
void check_to_https(std::string_view head) {
  const std::string answer = to_https(head, hosts(), 8080);
  const int status = fuzz::require_response(answer, false, true);
  const auto location = fuzz::header(answer, "Location");
  require(location.empty() == (status != 308));
  if (location.empty()) return;
  constexpr std::string_view kScheme = "https://";
  require(location.starts_with(kScheme));
  const auto rest = location.substr(kScheme.size());
  require(hosts().allows(rest.substr(0, rest.find('/'))));
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
  check_to_https(frame.head);
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

void check_compressed(std::string_view bytes) {
  constexpr std::size_t kMost = 4096;
  if (const auto plain = unzipped(bytes, kMost)) require(plain->size() <= kMost);
  if (const auto plain = unsnapped(bytes, kMost)) require(plain->size() <= kMost);
}

void check_query(std::string_view bytes) {
  Query query;
  for (const auto pair : split(bytes, '&')) {
    const auto equals = pair.find('=');
    query.emplace(pair.substr(0, equals), equals == pair.npos ? "" : pair.substr(equals + 1));
  }
  if (const auto history = told(parse_history(query, kNow))) {
    require(history->from < history->to && history->points >= 1);
    require(history->points * history->series.size() <= HistoryQuery::kMaxPointsInAll);
  }
  if (const auto limit = told(parse_limit(query, 100, 1000))) require(*limit >= 1 && *limit <= 1000);
  if (const auto page = told(parse_list_page(query, 100, 1000))) {
    require(page->limit >= 1 && page->limit <= 1000);
    require(page->before.value_or(0) >= 0 && page->ordinal >= 0);
  }
  if (const auto version = told(parse_ordinal(query, "version"))) require(version->value_or(1) >= 1);
  if (const auto snapshot = told(parse_snapshot(query))) require(number(*snapshot) >= 1);
  static constexpr std::array<std::string_view, 5> kKnown = {"series", "from", "to", "points", "format"};
  told(check_names(query, kKnown));
  told(check_names(query, {}));
}

void check_headers(std::string_view text) {
  if (const auto id = parse_event_id(text)) require(!id->epoch.empty() && number(id->seq) >= 0);
  if (const auto etags = told(parse_if_match(text))) {
    for (const auto& etag : *etags) require(etag == "*" || etag.size() + 2 <= text.size());
  }
  if (hosts().allows(text)) require(text.size() > 0);
  same_origin(text, "box.local");
  json_content_type(text);
}

/// What is asked of an alert.
void check_wishes(std::string_view body) {
  if (const auto wish = told(parse_acknowledge(body))) {
    require(!wish->alert.empty() && valid_utf8(wish->alert) && is_note(wish->note) && wish->who.empty());
  }
  if (const auto wish = told(parse_shelve(body, kNow))) {
    require(!wish->alert.empty() && !wish->why.empty() && is_note(wish->why) && wish->who.empty());
    require(wish->until == kOutOfService ||
            (wish->until >= kNow + kShortestShelf && wish->until <= kNow + kLongestShelf));
  }
  if (const auto wish = told(parse_unshelve(body))) require(!wish->alert.empty() && wish->until == Timestamp{});
  if (const auto wish = told(parse_comment(body))) {
    require(!wish->alert.empty() && !wish->text.empty() && is_note(wish->text) && wish->who.empty());
  }
}

void check_bodies(std::string_view body) {
  static constexpr std::array<std::string_view, 4> kFields = {"name", "role", "password", "code"};
  if (const auto texts = told(parse_texts(body, kFields))) {
    require(texts->size() == kFields.size());
    for (const auto& [name, value] : *texts) require(value.size() <= 1024 && valid_utf8(value));
  }
  told(parse_number(body, "id"));
  if (const auto rules = told(parse_rule_body(body))) {
    require(rules->text.size() <= body.size() && valid_utf8(rules->text) && is_note(rules->note));
  }
  if (const auto wish = told(parse_switch_body(body))) {
    require(!wish->name.empty() && is_note(wish->name) && is_note(wish->note));
  }
  if (const auto wish = told(parse_rollback_body(body))) require(is_note(wish->note));
  told(parse_nothing(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_frame(text);
  check_chunks(text);
  check_compressed(text);
  check_query(text);
  check_headers(text);
  check_wishes(text);
  check_bodies(text);
  return 0;
}
