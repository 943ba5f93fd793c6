// SQL over compressed history, against the same SQL over a plain table of all that the journal was given.

#include "gateway/journal/samples_table.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "gateway/journal/console.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Row = std::vector<std::string>;

std::string shown(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.12g}", *real);
  if (const auto* text = std::get_if<std::string_view>(&value)) return "'" + std::string(*text) + "'";
  return "NULL";
}

/// The same question to a table of SQLite's own.
class PlainTable {
 public:
  PlainTable() {
    sqlite3_open(":memory:", &database_);
    run("CREATE TABLE samples(series TEXT, time TEXT, value REAL, quality TEXT, label TEXT, reason TEXT, unix REAL)");
    run("BEGIN");
  }
  ~PlainTable() { sqlite3_close_v2(database_); }
  PlainTable(const PlainTable&) = delete;

  void add(const Catalogue::Entry& series, const Sample& sample) {
    sqlite3_stmt* row = nullptr;
    sqlite3_prepare_v2(database_, "INSERT INTO samples VALUES(?,?,?,?,?,?,?)", -1, &row, nullptr);
    const auto text = [&](int at, std::string_view what) {
      sqlite3_bind_text(row, at, what.data(), static_cast<int>(what.size()), SQLITE_TRANSIENT);
    };
    text(1, series.name);
    text(2, rfc3339_micros(sample.time));
    if (sample.quality != Quality::bad) {
      sqlite3_bind_double(row, 3, sample.value);
      if (!series.labels.empty()) text(5, series.labels.at(static_cast<std::size_t>(sample.value)));
    }
    text(4, name(sample.quality));
    if (sample.reason != Reason::none) text(6, name(sample.reason));
    sqlite3_bind_double(row, 7, static_cast<double>(sample.time.time_since_epoch().count()) / 1e6);
    EXPECT_EQ(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
  }
  std::vector<Row> ask(const std::string& sql) {
    sqlite3_stmt* answer = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_, sql.c_str(), -1, &answer, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(database_);
    std::vector<Row> rows;
    while (sqlite3_step(answer) == SQLITE_ROW) {
      Row row;
      for (int i = 0; i < sqlite3_column_count(answer); ++i) row.push_back(cell(answer, i));
      rows.push_back(row);
    }
    sqlite3_finalize(answer);
    return rows;
  }

 private:
  void run(const char* sql) { EXPECT_EQ(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr), SQLITE_OK); }
  static std::string cell(sqlite3_stmt* row, int at) {
    switch (sqlite3_column_type(row, at)) {
      case SQLITE_INTEGER:
        return shown(std::int64_t{sqlite3_column_int64(row, at)});
      case SQLITE_FLOAT:
        return shown(sqlite3_column_double(row, at));
      case SQLITE_TEXT:
        return shown(std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(row, at))));
      default:
        return "NULL";
    }
  }
  sqlite3* database_ = nullptr;
};

class SamplesTable : public RandomStore {
 protected:
  void look() {
    console.reset();
    opened = view();
    ASSERT_TRUE(opened);
    auto made = Console::open(*opened, clock.now(), stop.get_token());
    ASSERT_TRUE(made) << made.error().text;
    console = std::move(*made);
  }
  Status try_to(std::string_view sql, std::vector<Row>& rows) {
    return console->run(sql, {[](auto) { return Status{}; },
                              [&](std::span<const Value> cells) {
                                Row row;
                                for (const Value& cell : cells) row.push_back(shown(cell));
                                rows.push_back(std::move(row));
                                return Status{};
                              }});
  }
  std::vector<Row> ask(std::string_view sql) {
    std::vector<Row> rows;
    const Status status = try_to(sql, rows);
    EXPECT_TRUE(status) << sql << ": " << status.error().text;
    return rows;
  }
  Error refusal(std::string_view sql) {
    std::vector<Row> rows;
    const Status status = try_to(sql, rows);
    EXPECT_FALSE(status) << sql << " was taken";
    return status ? Error{} : status.error();
  }
  std::uint64_t chunks_for(const std::string& sql) {
    look();
    ask(sql);
    return opened->reading().chunks;
  }

  std::stop_source stop;
  std::unique_ptr<StoreView> opened;
  std::unique_ptr<Console> console;
};

/// Makes questions whose answer in a plain table is beyond doubt.
class Questions {
 public:
  Questions(std::mt19937& random, const std::vector<std::string>& names, const std::vector<Sample>& all)
      : random_(random), names_(names), all_(all) {}

  std::string where(int depth = 0) {
    std::string text;
    for (auto terms = random_() % 4; terms > 0; --terms) {
      text += text.empty() ? "" : depth % 2 == 0 ? " AND " : " OR ";
      text += depth < 2 && random_() % 4 == 0 ? "(" + where(depth + 1) + ")" : term();
    }
    return text.empty() ? "1" : text;
  }

 private:
  std::string pick(std::initializer_list<std::string> of) { return std::data(of)[random_() % of.size()]; }
  std::string series() { return random_() % 10 == 0 ? "'nobody'" : "'" + names_[random_() % names_.size()] + "'"; }
  Timestamp time() { return all_[random_() % all_.size()].time + Micros{static_cast<std::int64_t>(random_() % 3) - 1}; }
  std::string text_time() { return "'" + rfc3339_micros(time()) + "'"; }
  std::string unix_time() {
    return fmt::format("{:.6f}", static_cast<double>(time().time_since_epoch().count()) / 1e6);
  }

  std::string term() {
    switch (random_() % 11) {
      case 0:
        return "series = " + series();
      case 1:
        return "series IN (" + series() + ", " + series() + ", " + series() + ")";
      case 2:
        return "series " + pick({"GLOB 'boiler*'", "GLOB '*/mode'", "GLOB '[^b]*temp*'", "LIKE 'BOILER1/%'",
                                 "LIKE '%e'", "NOT LIKE '%o%'", "= NULL", "> 'c'", "= 'BOILER1/open' COLLATE NOCASE"});
      case 3:
      case 4:
        return "time " + pick({">", ">=", "<", "<=", "=", "<>"}) + " " + text_time();
      case 5:
        return "time BETWEEN " + text_time() + " AND " + text_time();
      case 6:
        return "unix " + pick({">", ">=", "<", "<="}) + " " + unix_time();
      case 7:
        return "quality " + pick({"= 'good'", "<> 'bad'", "IN ('bad', 'uncertain')"});
      case 8:
        return "value " + pick({"> 50", "< 20.5", "IS NULL", "BETWEEN 1 AND 2"});
      case 9:
        return "label " + pick({"= 'heating'", "IS NOT NULL"});
      default:
        return "time IN (" + text_time() + ", " + text_time() + ")";
    }
  }

  std::mt19937& random_;
  const std::vector<std::string>& names_;
  const std::vector<Sample>& all_;
};

TEST_F(SamplesTable, AnswersAsAPlainTableWould) {
  for (const unsigned seed : {11u, 12u}) {
    SCOPED_TRACE(seed);
    journal.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) std::filesystem::remove_all(entry);
    names.clear(), ids.clear(), all.clear();
    open();
    std::mt19937 random(seed);
    fill(random, 100);
    look();
    PlainTable plain;
    for (const Sample& sample : all) plain.add(journal->catalogue().entry(sample.series), sample);
    Questions questions(random, names, all);
    const auto same = [&](const std::string& sql, bool in_order) {
      auto found = ask(sql);
      auto wanted = plain.ask(sql);
      if (!in_order) {
        std::sort(found.begin(), found.end());
        std::sort(wanted.begin(), wanted.end());
      }
      EXPECT_EQ(found, wanted) << sql;
    };
    for (int i = 0; i < 60; ++i) {
      const std::string where = " FROM samples WHERE " + questions.where();
      const std::string one =
          " FROM samples WHERE series = '" + names[random() % names.size()] + "' AND (" + questions.where() + ")";
      same("SELECT series, time, value, quality, label, reason, unix" + where, false);
      same("SELECT count(*), count(value), min(value), max(value), total(value), min(time), max(time)" + where, true);
      same("SELECT series, count(*), max(time)" + where + " GROUP BY series", true);
      same("SELECT DISTINCT series, quality" + where, false);
      same("SELECT time" + one + " ORDER BY time LIMIT 20", true);
      same("SELECT unix" + one + " ORDER BY time DESC LIMIT 20 OFFSET 3", true);
      same("SELECT series, time" + where + " ORDER BY series, time", true);
      same("SELECT series, time" + where + " ORDER BY series, time DESC", true);
      same("SELECT series, time" + where + " ORDER BY series DESC, time", true);
      same("SELECT strftime('%H', time), count(*), total(value)" + where + " GROUP BY 1 ORDER BY 1", true);
    }
    same("SELECT count(*) FROM samples a JOIN samples b ON a.time = b.time AND a.series < b.series", true);
    same(
        "SELECT a.series, b.series FROM samples a LEFT JOIN samples b ON b.series = 'boiler1/open' AND b.time = a.time "
        "WHERE a.series = 'boiler1/mode' AND a.value > 1",
        false);
    same(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, (SELECT count(*) FROM "
        "samples WHERE value = i) FROM n",
        true);
    same(
        "SELECT series, quality, value, lag(unix) OVER (PARTITION BY series ORDER BY unix) FROM samples WHERE series = "
        "'boiler1/starts' ORDER BY unix, value, quality",
        false);
  }
}

TEST_F(SamplesTable, ATimeMayBeWrittenInManyWays) {
  open();
  make_series();
  clock.set(*parse_rfc3339("2026-03-01T12:00:00Z"));
  append_samples({sample(ids[0], 1)});
  clock.set(*parse_rfc3339("2026-03-01T13:00:00.5Z"));
  append_samples({sample(ids[0], 2)});
  clock.set(*parse_rfc3339("2026-03-01T14:00:00Z"));
  look();
  const auto after = [&](const std::string& time) { return ask("SELECT value FROM samples WHERE time > " + time); };
  for (const char* time :
       {"'2026-03-01 12:30'", "'2026-03-01T12:30:00Z'", "'2026-03-01T13:30:00+01:00'", "'2026-03-01 12:30:00.000'",
        "'-90m'", "datetime('2026-03-01 12:00', '+30 minutes')", "1772368200", "1772368200.25",
        "unixepoch('2026-03-01 12:30')", "'2026-03-01 12:00:00.25'"}) {
    EXPECT_THAT(after(time), ElementsAre(Row{"2"})) << time;
  }
  EXPECT_EQ(after("'2026-03-01'").size(), 2u);
  EXPECT_EQ(after("'now'").size(), 0u);
  EXPECT_THAT(ask("SELECT time, unix FROM samples ORDER BY unix DESC"),
              ElementsAre(Row{"'2026-03-01T13:00:00.500000Z'", "1772370000.5"},
                          Row{"'2026-03-01T12:00:00.000000Z'", "1772366400"}));
  EXPECT_THAT(refusal("SELECT * FROM samples WHERE time > 'yesterday'").text, HasSubstr("'yesterday' is no time"));
  EXPECT_THAT(refusal("SELECT * FROM samples WHERE time > 1772366400000000").text, HasSubstr("seconds since 1970"));
}

TEST_F(SamplesTable, ReadsOnlyTheChunksThatAQuestionConcerns) {
  open();
  make_series();
  clock.set(*parse_rfc3339("2026-03-01T00:00:00Z"));
  for (int hour = 0; hour < 48; ++hour) {  // a chunk an hour and series
    std::vector<Sample> samples;
    for (const SeriesId id : ids) samples.push_back(sample(id, hour));
    append_samples(std::move(samples));
    clock.advance(1h);
    compact();
  }
  const auto series = ids.size();
  EXPECT_EQ(chunks_for("SELECT * FROM samples"), 48 * series);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'boiler1/open'"), 48u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series IN ('boiler1/open', 'boiler1/mode', 'nobody')"), 96u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series GLOB 'boiler1/*'"), 48 * 4u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series LIKE '%/MODE'"), 48 * 2u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE time >= '2026-03-02 12:00'"), 12 * series);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE time BETWEEN '2026-03-02 12:00' AND '2026-03-02 12:59'"), series);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE unix < 1772323200 + 3 * 3600"), 3 * series);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'boiler1/open' AND time < '2026-03-01 02:00'"), 2u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'nobody'"), 0u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE time > '2026-03-02' AND time < '2026-03-01'"), 0u);
  EXPECT_EQ(chunks_for("SELECT max(value) FROM samples WHERE series = 'boiler1/open' AND time > '-301m'"), 5u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'boiler1/open' ORDER BY time LIMIT 3"), 3u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'boiler1/open' ORDER BY time DESC LIMIT 3"), 3u);
  EXPECT_EQ(chunks_for("SELECT * FROM samples WHERE series = 'boiler1/open' OR series = 'boiler1/mode'"), 96u);
  // One look into the other series for each row of the first.
  EXPECT_EQ(chunks_for("SELECT * FROM samples a JOIN samples b ON b.time = a.time WHERE a.series = 'boiler1/open' AND "
                       "b.series = 'boiler1/mode'"),
            96u);
  EXPECT_EQ(chunks_for("SELECT * FROM series"), 0u);
}

TEST_F(SamplesTable, NothingButReadingIsTaken) {
  open();
  make_series();
  append_samples({sample(ids[0], 1)});
  look();
  for (const char* sql :
       {"DELETE FROM samples", "INSERT INTO samples(series) VALUES('a')", "UPDATE samples SET value = 1",
        "DELETE FROM series", "CREATE TABLE x(y)", "CREATE TEMP TABLE x(y)", "DROP TABLE series", "ATTACH 'x.db' AS x",
        "PRAGMA journal_mode = WAL", "PRAGMA writable_schema = 1", "VACUUM", "VACUUM INTO 'x.db'", "BEGIN",
        "SELECT load_extension('x')", "CREATE VIRTUAL TABLE x USING samples", "REINDEX", "ANALYZE"}) {
    EXPECT_EQ(refusal(sql).code, Errc::invalid) << sql;
  }
  EXPECT_THAT(refusal("DELETE FROM series").text, HasSubstr("only SELECT is taken here"));
  EXPECT_EQ(ask("SELECT count(*) FROM series")[0], Row{"8"});
  EXPECT_THAT(ask("PRAGMA table_xinfo(samples)").size(), 7u);
}

TEST_F(SamplesTable, SaysWhatIsNotUnderstood) {
  open();
  look();
  EXPECT_THAT(refusal("SELEC 1").text, HasSubstr("syntax error"));
  EXPECT_THAT(refusal("SELECT level FROM samples").text, HasSubstr("no such column"));
  EXPECT_THAT(refusal("  ").text, HasSubstr("there is no SQL statement"));
  EXPECT_THAT(refusal("SELECT 1; SELECT 2").text, HasSubstr("'SELECT 2' is another"));
  EXPECT_EQ(ask("SELECT 1, 2.5, 'x', NULL, x'0aff' ; "), (std::vector<Row>{{"1", "2.5", "'x'", "NULL", "'X'0AFF''"}}));
}

TEST_F(SamplesTable, StopsWhenAsked) {
  open();
  std::mt19937 random(1);
  fill(random, 20);
  look();
  Status status = console->run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
                               {[](auto) { return Status{}; },
                                [&](std::span<const Value> cells) {
                                  if (std::get<std::int64_t>(cells[0]) == 10'000) stop.request_stop();
                                  return Status{};
                                }});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::stopped);
  std::vector<Row> rows;
  status = try_to("SELECT * FROM samples", rows);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::stopped);
  EXPECT_TRUE(rows.empty());
}

TEST_F(SamplesTable, AnErrorOfTheReaderOfRowsEndsTheQuery) {
  open();
  look();
  int rows = 0;
  const Status status = console->run("SELECT 1 UNION ALL SELECT 2", {[](auto) { return Status{}; },
                                                                     [&](auto) -> Status {
                                                                       ++rows;
                                                                       return fail(Errc::full, "no room");
                                                                     }});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().text, "no room");
  EXPECT_EQ(rows, 1);
}

}  // namespace
}  // namespace tidegate::journal
