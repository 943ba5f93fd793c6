#include "gateway/journal/console.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>

#include "gateway/core/text.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/samples_table.h"

namespace tidegate::journal {
namespace {

constexpr int kStepsBetweenLooks = 10'000;  ///< of SQLite's machine, at `stop`: about a millisecond

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

int allow_reading(void*, int action, const char* what, const char*, const char*, const char*) {
  constexpr std::array<std::string_view, 3> kLooks = {"table_info", "table_xinfo", "table_list"};
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_PRAGMA:
      return std::find(kLooks.begin(), kLooks.end(), what) != kLooks.end() ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

tl::unexpected<Error> failure(sqlite3* database) {
  switch (sqlite3_errcode(database)) {
    case SQLITE_AUTH:
      return fail(Errc::invalid, "only SELECT is taken here: nothing stored is changed by SQL ({})",
                  sqlite3_errmsg(database));
    case SQLITE_INTERRUPT:
      return fail(Errc::stopped, "stopped");
    default:
      return fail(Errc::invalid, "{}", sqlite3_errmsg(database));
  }
}

Value value_of(sqlite3_stmt* row, int column, std::string& room) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    default:
      break;
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  const std::string_view text(bytes != nullptr ? bytes : "", size);
  if (sqlite3_column_type(row, column) == SQLITE_TEXT && valid_utf8(text)) return text;
  room = "X'";  // as SQL writes bytes
  for (const char byte : text) room += fmt::format("{:02X}", static_cast<unsigned char>(byte));
  room += '\'';
  return std::string_view(room);
}

bool blank(std::string_view sql) { return sql.find_first_not_of(" \t\r\n;") == std::string_view::npos; }

}  // namespace

void Console::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<std::unique_ptr<Console>> Console::open(StoreView& view, Timestamp now, std::stop_token stop) {
  auto console = std::unique_ptr<Console>(new Console(stop));
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr);
  console->database_.reset(database);
  if (code != SQLITE_OK) return failure(database);
  if (Status status = console->list_series(view); !status) return fail(std::move(status.error()));
  if (Status status = add_samples_table(database, view, now, stop); !status) return fail(std::move(status.error()));
  sqlite3_set_authorizer(database, allow_reading, nullptr);
  sqlite3_progress_handler(
      database, kStepsBetweenLooks,
      [](void* token) { return static_cast<std::stop_token*>(token)->stop_requested() ? 1 : 0; }, &console->stop_);
  return console;
}

Status Console::list_series(const StoreView& view) {
  constexpr const char* kTable =
      "CREATE TABLE series(name TEXT PRIMARY KEY, kind TEXT, unit TEXT, source TEXT, labels TEXT) WITHOUT ROWID; BEGIN";
  if (sqlite3_exec(database_.get(), kTable, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(database_.get());
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(database_.get(), "INSERT INTO series VALUES(?,?,?,?,?)", -1, &prepared, nullptr);
  const Statement insert(prepared);
  for (const Catalogue::Entry& entry : view.series()) {
    const std::string labels = to_json(entry.info.labels);
    const std::string_view texts[] = {entry.name, name(entry.info.kind), entry.info.unit, entry.info.source, labels};
    for (int i = 0; i < 5; ++i) {
      sqlite3_bind_text(prepared, i + 1, texts[i].data(), static_cast<int>(texts[i].size()), SQLITE_STATIC);
    }
    if (sqlite3_step(prepared) != SQLITE_DONE) return failure(database_.get());
    sqlite3_reset(prepared);
  }
  if (sqlite3_exec(database_.get(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return failure(database_.get());
  return {};
}

Status Console::run(std::string_view sql, const Answer& answer) {
  sqlite3_stmt* prepared = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, &rest) != SQLITE_OK) {
    return failure(database_.get());
  }
  const Statement statement(prepared);
  if (prepared == nullptr) return fail(Errc::invalid, "there is no SQL statement in '{}'", printable(sql));
  if (const std::string_view more(rest, sql.data() + sql.size()); !blank(more)) {
    return fail(Errc::invalid, "one statement at a time: '{}' is another", printable(trim(more)));
  }
  std::vector<std::string_view> names;
  for (int i = 0; i < sqlite3_column_count(prepared); ++i) names.emplace_back(sqlite3_column_name(prepared, i));
  if (Status status = answer.columns(names); !status) return status;
  std::vector<Value> cells(names.size());
  std::vector<std::string> room(names.size());
  while (true) {
    const int code = sqlite3_step(prepared);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return failure(database_.get());
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = value_of(prepared, static_cast<int>(i), room[i]);
    if (Status status = answer.row(cells); !status) return status;
  }
}

}  // namespace tidegate::journal
