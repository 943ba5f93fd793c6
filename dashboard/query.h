#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// What clients send, checked. Pure; each refusal is Errc::invalid with a sentence for `detail`.

/// Decoded query parameters, by name.
using Query = std::multimap<std::string, std::string>;
/// Refuses a parameter that is none of `known`, and one that is given twice (`series` apart): it would do nothing, in
/// silence.
Status check_names(const Query& query, std::span<const std::string_view> known);

struct EventId {
  std::string epoch;
  Seq seq{};
};
/// "epoch:seq"; nothing for anything else.
std::optional<EventId> parse_event_id(std::string_view text);

struct HistoryQuery {
  std::vector<std::string> series;
  Timestamp from{}, to{};
  std::size_t points = 300;

  static constexpr std::size_t kMaxSeries = 64;
  static constexpr std::size_t kMaxPoints = 5000;
  static constexpr std::size_t kMaxPointsInAll = 60'000;  ///< of all series: bounds the answer to a few megabytes
};
Result<HistoryQuery> parse_history(const Query& query, Timestamp now);

/// The series that a stream is to be of, at most kMostPatterns times ?series=PATTERN; none: all. Errc::invalid.
Result<std::vector<Pattern>> parse_selection(const Query& query);
constexpr std::size_t kMostPatterns = 64;

/// The parameter `limit`, 1 to `max`.
Result<std::size_t> parse_limit(const Query& query, std::size_t fallback, std::size_t max);

/// A page of a list that is told newest first: at most `limit`, of those before the cursor `before` where there is one,
/// which the page before this one has given as `next`: "1206", or "1206.3" where numbers alone do not tell items apart.
struct ListPage {
  std::size_t limit;
  std::optional<std::int64_t> before;
  int ordinal = 0;
};
Result<ListPage> parse_list_page(const Query& query, std::size_t fallback, std::size_t max);

/// The parameter `name`, a whole number from 1 on, where it is given.
Result<std::optional<std::int64_t>> parse_ordinal(const Query& query, const std::string& name);

/// The parameter `id`, a snapshot's.
Result<Seq> parse_snapshot(const Query& query);

/// The body of an acknowledgement. `who`, here as below, is for the caller to say: a body has no say in it.
Result<Acknowledge> parse_acknowledge(std::string_view body);

/// How long an alert may be shelved; beyond it somebody has to say that it is out of service.
inline constexpr Micros kShortestShelf = std::chrono::minutes(1), kLongestShelf = std::chrono::hours(24 * 30);
/// The bodies that shelve an alert, counted from `now`, and that end it. Fields that are not known are refused.
Result<Shelve> parse_shelve(std::string_view body, Timestamp now);
Result<Shelve> parse_unshelve(std::string_view body);

/// The body that comments on an alert.
Result<Comment> parse_comment(std::string_view body);

/// A body's fields, each a text of at most 1 KiB: empty where it is missing, and none but these.
using Texts = std::map<std::string, std::string, std::less<>>;
Result<Texts> parse_texts(std::string_view body, std::span<const std::string_view> fields);
/// A body whose one field is a whole number.
Result<std::int64_t> parse_number(std::string_view body, const char* field);

/// A text of rules, as long as a body may be, and a note on it.
struct RuleBody {
  std::string text, note;
};
Result<RuleBody> parse_rule_body(std::string_view body);

/// The etags of an If-Match header, without their quotes, and "*"; weak ones are none of them.
Result<std::vector<std::string>> parse_if_match(std::string_view header);

/// The body that turns a rule off or on, and the one that brings an older version back.
struct SwitchBody {
  std::string name, note;
};
Result<SwitchBody> parse_switch_body(std::string_view body);
struct RollbackBody {
  std::int64_t version = 0;
  std::string note;
};
Result<RollbackBody> parse_rollback_body(std::string_view body);

/// The body `{}`, of what needs no more words.
Status parse_nothing(std::string_view body);

}  // namespace tidegate::dashboard
