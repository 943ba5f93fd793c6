#include "gateway/journal/samples_plan.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::journal {
namespace {

constexpr double kMicros = 1e6;

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text != nullptr ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

/// In whole microseconds: the first at or after the time that was given, and the first after it.
struct Moment {
  Timestamp from, after;
};

Result<Moment> seconds_to_moment(double seconds) {
  if (!(std::abs(seconds) < 9e12)) {
    return fail(Errc::invalid,
                "a time is compared with {}: give text, such as '2026-03-01 12:00', or seconds since 1970", seconds);
  }
  // A double of seconds is a fifth of a microsecond off in our days.
  const double micros = seconds * kMicros;
  const double nearest = std::round(micros);
  const auto whole = [](double value) { return Timestamp{Micros{static_cast<std::int64_t>(value)}}; };
  if (std::abs(micros - nearest) < 0.3) return Moment{whole(nearest), whole(nearest) + Micros{1}};
  return Moment{whole(std::ceil(micros)), whole(std::ceil(micros))};
}

Result<Moment> moment_of(sqlite3_value* value, Timestamp now) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) return seconds_to_moment(sqlite3_value_double(value));
  const auto time = parse_time(text_of(value), now);
  if (time) return Moment{*time, *time + Micros{1}};
  return fail(Errc::invalid,
              "'{}' is no time: write '2026-03-01', '2026-03-01 12:00:30.5' (UTC), RFC 3339, '-1h' or 'now'",
              printable(text_of(value)));
}

/// The samples that are left while one argument after the other narrows them down.
class Narrowing {
 public:
  explicit Narrowing(const StoreView& view) : view_(view) {}

  void to_times(char letter, const Moment& moment) {
    if (letter == kAfter) selection_.from = std::max(selection_.from, moment.after);
    if (letter == kFrom || letter == kAt) selection_.from = std::max(selection_.from, moment.from);
    if (letter == kBefore) selection_.to = std::min(selection_.to, moment.from);
    if (letter == kUntil || letter == kAt) selection_.to = std::min(selection_.to, moment.after);
  }
  void to_names(const std::vector<std::string>& names) {
    std::vector<std::size_t> places;
    for (const std::string& name : names) {
      const auto place = view_.find(name);
      if (place && (all_ || std::binary_search(selection_.series.begin(), selection_.series.end(), *place))) {
        places.push_back(*place);
      }
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    selection_.series = std::move(places);
    all_ = false;
  }
  template <class Wanted>
  void to_series(const Wanted& wanted) {
    list_all();
    std::erase_if(selection_.series, [&](std::size_t place) { return !wanted(view_.series()[place].name.c_str()); });
  }
  void to_nothing() { to_names({}); }

  Selection take() {
    if (selection_.from >= selection_.to) to_nothing();
    list_all();
    return std::move(selection_);
  }

 private:
  /// Not before it must be: a join asks for one series a thousand times.
  void list_all() {
    for (std::size_t place = 0; all_ && place < view_.series().size(); ++place) selection_.series.push_back(place);
    all_ = false;
  }

  const StoreView& view_;
  Selection selection_;
  bool all_ = true;  ///< series, which are not listed yet
};

std::vector<std::string> listed(sqlite3_value* list) {
  std::vector<std::string> names;
  sqlite3_value* item = nullptr;
  for (int code = sqlite3_vtab_in_first(list, &item); code == SQLITE_OK; code = sqlite3_vtab_in_next(list, &item)) {
    if (sqlite3_value_type(item) != SQLITE_NULL) names.emplace_back(text_of(item));
  }
  return names;
}

Status apply(Narrowing& to, Timestamp now, char letter, sqlite3_value* value) {
  if (letter != kIn && sqlite3_value_type(value) == SQLITE_NULL) {  // nothing is equal to it, less or greater
    to.to_nothing();
    return {};
  }
  const std::string text(letter == kIn ? std::string_view() : text_of(value));
  switch (letter) {
    case kIn:
      to.to_names(listed(value));
      return {};
    case kIs:
      to.to_names({text});
      return {};
    case kGlob:
      to.to_series([&](const char* name) { return sqlite3_strglob(text.c_str(), name) == 0; });
      return {};
    case kLike:
      to.to_series([&](const char* name) { return sqlite3_strlike(text.c_str(), name, 0) == 0; });
      return {};
    default:
      const auto moment = moment_of(value, now);
      if (!moment) return fail(moment.error());
      to.to_times(letter, *moment);
      return {};
  }
}

}  // namespace

Result<Selection> narrow(const StoreView& view, Timestamp now, const char* plan, std::span<sqlite3_value*> values) {
  Narrowing narrowing(view);
  for (sqlite3_value* value : values) {
    if (Status status = apply(narrowing, now, *plan++, value); !status) return fail(std::move(status.error()));
  }
  return narrowing.take();
}

}  // namespace tidegate::journal
