#include "gateway/journal/samples_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/scan.h"

namespace tidegate::journal {
namespace {

enum Column { kSeries, kTime, kValue, kQuality, kLabel, kReason, kUnix };
constexpr const char* kDeclaration =
    "CREATE TABLE samples(series TEXT, time TEXT, value REAL, quality TEXT, label TEXT, reason TEXT HIDDEN, unix REAL "
    "HIDDEN)";
constexpr double kMicros = 1e6;

// What a plan uses, one letter an argument of filter(); times by their operator.
constexpr char kIs = 's', kIn = 'i', kGlob = 'g', kLike = 'l';
constexpr char kAt = '=', kAfter = '>', kFrom = ']', kBefore = '<', kUntil = '[';

struct Source {
  StoreView& view;
  Timestamp now;
  std::stop_token stop;
  std::map<std::pair<std::size_t, history::Day>, sqlite3_int64> numbers;  ///< of series and day, as they are met
};
struct Table : sqlite3_vtab {
  explicit Table(Source& from) : sqlite3_vtab{}, source(from) {}
  Source& source;
};
struct Cursor : sqlite3_vtab_cursor {
  explicit Cursor(Source& from) : sqlite3_vtab_cursor{}, source(from) {}
  Source& source;
  std::optional<Scan> scan;
  Scan::Portion portion;
  sqlite3_int64 portion_number = 0;
  std::size_t at = 0;
  const Sample& sample() const { return portion.samples[at]; }
};

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text != nullptr ? text : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// The plan.

char series_letter(sqlite3_index_info* info, int constraint) {
  switch (info->aConstraint[constraint].op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      // Another collation asks for more than one name.
      if (std::string_view(sqlite3_vtab_collation(info, constraint)) != "BINARY") return 0;
      return sqlite3_vtab_in(info, constraint, -1) != 0 ? kIn : kIs;
    case SQLITE_INDEX_CONSTRAINT_GLOB:
      return kGlob;
    case SQLITE_INDEX_CONSTRAINT_LIKE:
      return kLike;
    default:
      return 0;
  }
}

char time_letter(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return kAt;
    case SQLITE_INDEX_CONSTRAINT_GT:
      return kAfter;
    case SQLITE_INDEX_CONSTRAINT_GE:
      return kFrom;
    case SQLITE_INDEX_CONSTRAINT_LT:
      return kBefore;
    case SQLITE_INDEX_CONSTRAINT_LE:
      return kUntil;
    default:
      return 0;
  }
}

/// A guess of the share of rows that is left; only its order matters.
double share_left(char letter, double series) {
  switch (letter) {
    case kIs:
      return 1 / series;
    case kIn:
      return std::min(1.0, 5 / series);
    case kAt:
      return 1e-5;
    default:
      return 0.25;
  }
}

bool is_time(int column) { return column == kTime || column == kUnix; }

/// Rows come by series, then time: is that what is asked for? Only the times may be asked for backwards.
bool in_order(const sqlite3_index_info& info, bool one_series, bool& newest_first) {
  const auto* by = info.aOrderBy;
  int count = info.nOrderBy;
  if (count > 0 && by->iColumn == kSeries && by->desc == 0) {
    ++by;
    --count;
  } else if (!one_series) {
    return false;
  }
  if (count > 1 || (count == 1 && !is_time(by->iColumn))) return false;
  newest_first = count == 1 && by->desc != 0;
  return true;
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  const auto& table = *static_cast<Table*>(base);
  std::string plan;
  const double series = static_cast<double>(table.source.view.series().size()) + 1;
  double rows = 1e5 * series;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable == 0) continue;
    const char letter = constraint.iColumn == kSeries ? series_letter(info, i)
                        : is_time(constraint.iColumn) ? time_letter(constraint.op)
                                                      : '\0';
    if (letter == 0) continue;
    if (letter == kIn) sqlite3_vtab_in(info, i, 1);
    plan += letter;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size());
    info->aConstraintUsage[i].omit = 1;  // a text comparison would be another one
    rows *= share_left(letter, series);
  }
  bool newest_first = false;
  const bool one_series = plan.find(kIs) != std::string::npos;
  if (info->nOrderBy > 0 && in_order(*info, one_series, newest_first)) info->orderByConsumed = 1;
  info->idxNum = info->orderByConsumed != 0 && newest_first ? 1 : 0;
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  if (info->idxStr == nullptr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->estimatedRows = static_cast<sqlite3_int64>(rows) + 1;
  info->estimatedCost = rows + 1000;
  return SQLITE_OK;
}

// What a plan's arguments leave of all samples.

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

Status narrow(Narrowing& to, Timestamp now, char letter, sqlite3_value* value) {
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

// The cursor.

int refuse(sqlite3_vtab* table, const Error& error) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", error.text.c_str());
  return error.code == Errc::stopped ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

int next_portion(Cursor& cursor) {
  const auto portion = cursor.scan->next();
  if (!portion) return refuse(cursor.pVtab, portion.error());
  cursor.portion = *portion;
  cursor.at = 0;
  const auto next = static_cast<sqlite3_int64>(cursor.source.numbers.size());
  cursor.portion_number = cursor.source.numbers.emplace(std::pair(portion->series, portion->day), next).first->second;
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int newest_first, const char* plan, int count, sqlite3_value** values) {
  auto& cursor = *static_cast<Cursor*>(base);
  Narrowing narrowing(cursor.source.view);
  for (int i = 0; i < count; ++i) {
    Status status = narrow(narrowing, cursor.source.now, plan[i], values[i]);
    if (!status) return refuse(cursor.pVtab, status.error());
  }
  Selection selection = narrowing.take();
  selection.newest_first = newest_first != 0;
  cursor.scan.emplace(cursor.source.view, std::move(selection), cursor.source.stop);
  return next_portion(cursor);
}

int next(sqlite3_vtab_cursor* base) {
  auto& cursor = *static_cast<Cursor*>(base);
  return ++cursor.at < cursor.portion.samples.size() ? SQLITE_OK : next_portion(cursor);
}

int eof(sqlite3_vtab_cursor* base) { return static_cast<Cursor*>(base)->portion.samples.empty() ? 1 : 0; }

/// By it SQLite tells a row that two terms of an OR both find from two rows: so the same in every scan.
int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* row) {
  const auto& cursor = *static_cast<Cursor*>(base);
  *row = cursor.portion_number << 32 | static_cast<sqlite3_int64>(cursor.sample().series);
  return SQLITE_OK;
}

/// `text` must not move while the query runs, or be `passing`.
void give(sqlite3_context* context, std::string_view text, bool passing = false) {
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), passing ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

void give_label(sqlite3_context* context, const Catalogue::Entry& series, const Sample& sample) {
  if (sample.quality == Quality::bad || !(sample.value >= 0)) return;
  if (sample.value < static_cast<double>(series.labels.size())) {
    give(context, series.labels[static_cast<std::size_t>(sample.value)]);
  }
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  const auto& cursor = *static_cast<Cursor*>(base);
  const Sample& sample = cursor.sample();
  const Catalogue::Entry& series = cursor.source.view.series()[cursor.portion.series];
  switch (column) {
    case kSeries:
      give(context, series.name);
      break;
    case kTime:
      give(context, rfc3339_micros(sample.time), true);
      break;
    case kValue:
      if (sample.quality != Quality::bad) sqlite3_result_double(context, sample.value);
      break;
    case kQuality:
      give(context, name(sample.quality));
      break;
    case kLabel:
      give_label(context, series, sample);
      break;
    case kReason:
      if (sample.reason != Reason::none) give(context, name(sample.reason));
      break;
    default:
      sqlite3_result_double(context, static_cast<double>(sample.time.time_since_epoch().count()) / kMicros);
  }
  return SQLITE_OK;
}

int connect(sqlite3* database, void* source, int, const char* const*, sqlite3_vtab** table, char**) {
  const int code = sqlite3_declare_vtab(database, kDeclaration);
  if (code == SQLITE_OK) *table = std::make_unique<Table>(*static_cast<Source*>(source)).release();
  return code;
}

int disconnect(sqlite3_vtab* table) {
  const std::unique_ptr<Table> gone(static_cast<Table*>(table));
  return SQLITE_OK;
}

int open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
  *cursor = std::make_unique<Cursor>(static_cast<Table*>(table)->source).release();
  return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) {
  const std::unique_ptr<Cursor> gone(static_cast<Cursor*>(cursor));
  return SQLITE_OK;
}

/// Without xCreate the table is there by itself and cannot be made otherwise; without xUpdate it cannot be written.
const sqlite3_module kModule = [] {
  sqlite3_module module{};
  module.iVersion = 1;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

}  // namespace

Status add_samples_table(sqlite3* database, StoreView& view, Timestamp now, std::stop_token stop) {
  auto source = std::make_unique<Source>(Source{view, now, std::move(stop), {}});
  const int code = sqlite3_create_module_v2(database, "samples", &kModule, source.release(),
                                            [](void* gone) { delete static_cast<Source*>(gone); });
  // The first look makes it, which an authorizer that comes later would refuse.
  if (code != SQLITE_OK || sqlite3_exec(database, "SELECT 1 FROM samples LIMIT 0", nullptr, nullptr, nullptr) != 0) {
    return fail(Errc::io, "the samples cannot be made a table: {}", sqlite3_errmsg(database));
  }
  return {};
}

}  // namespace tidegate::journal
