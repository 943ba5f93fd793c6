#include "gateway/journal/samples_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "gateway/core/time_text.h"
#include "gateway/journal/samples_plan.h"
#include "gateway/journal/scan.h"

namespace tidegate::journal {
namespace {

enum Column { kSeries, kTime, kValue, kQuality, kLabel, kReason, kUnix };
constexpr const char* kDeclaration =
    "CREATE TABLE samples(series TEXT, time TEXT, value REAL, quality TEXT, label TEXT, reason TEXT HIDDEN, unix REAL "
    "HIDDEN)";
constexpr double kMicros = 1e6;

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
  auto narrowed =
      narrow(cursor.source.view, cursor.source.now, plan, std::span(values, static_cast<std::size_t>(count)));
  if (!narrowed) return refuse(cursor.pVtab, narrowed.error());
  Selection selection = std::move(*narrowed);
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
