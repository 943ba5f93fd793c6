#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/event.h"
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

/// The parameter `limit`, 1 to `max`.
Result<std::size_t> parse_limit(const Query& query, std::size_t fallback, std::size_t max);

/// The parameter `id`, a snapshot's.
Result<Seq> parse_snapshot(const Query& query);

/// The body of an acknowledgement. `who` is empty where the client does not say.
Result<Acknowledge> parse_acknowledge(std::string_view body);

/// How long an alert may be shelved; beyond it somebody has to say that it is out of service.
inline constexpr Micros kShortestShelf = std::chrono::minutes(1), kLongestShelf = std::chrono::hours(24 * 30);
/// The bodies that shelve an alert, counted from `now`, and that end it. Fields that are not known are refused.
Result<Shelve> parse_shelve(std::string_view body, Timestamp now);
Result<Shelve> parse_unshelve(std::string_view body);

}  // namespace tidegate::dashboard
