#include "gateway/state/state_file.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "gateway/journal/history/database.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/rollback_file.h"
#include "gateway/journal/salvage_names.h"
#include "gateway/journal/schema.h"

namespace tidegate::state {
namespace {

namespace fs = std::filesystem;
namespace sql = journal::sql;

/// Who may do what (gateway/access). Of secrets there is a digest.
constexpr const char* kPeople = R"(
  CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE token(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL,
                     digest TEXT NOT NULL UNIQUE, made INTEGER NOT NULL, made_by TEXT NOT NULL, until INTEGER);
  CREATE TABLE session(digest TEXT PRIMARY KEY, user TEXT NOT NULL, made INTEGER NOT NULL, used INTEGER NOT NULL)
    WITHOUT ROWID;
)";

/// How far what rules set is done (gateway/state/point_marks.h).
constexpr const char* kPoints = R"(
  CREATE TABLE point(series TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr const char* kSteps[] = {kPeople, kPoints};
constexpr journal::FileKind kKind = {0x54444753, "state", kSteps};  // "TDGS"

constexpr const char* kTables = R"(
  CREATE TABLE configuration(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, why TEXT NOT NULL, texts TEXT NOT NULL,
                             seal TEXT NOT NULL);
  CREATE TABLE deed(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                    about TEXT NOT NULL, detail TEXT NOT NULL, seal TEXT NOT NULL);
)";

Result<sql::Connection> open_sound(const fs::path& file) {
  auto connection = journal::open_to_write(file, kKind, {kTables, kPeople, kPoints});
  if (!connection) return connection;
  if (Status status = journal::check_every_page(*connection, file); !status) return fail(std::move(status.error()));
  return connection;
}

struct Table {
  const char* select;
  const char* key;
  const char* insert;
  bool (*sound)(const sql::Statement& row);
};
constexpr Table kConfigurations = {"SELECT * FROM configuration", "id",
                                   "INSERT OR IGNORE INTO configuration VALUES(?,?,?,?,?)",
                                   [](const sql::Statement& row) { return seal_of(row.text(3)) == row.text(4); }};
/// Log-ins are made anew. What is no role or no hash lets nobody in.
constexpr auto kAny = [](const sql::Statement&) { return true; };
constexpr Table kUsers = {"SELECT * FROM user", "name", "INSERT OR IGNORE INTO user VALUES(?,?,?,?)", kAny};
constexpr Table kTokens = {"SELECT * FROM token", "id", "INSERT OR IGNORE INTO token VALUES(?,?,?,?,?,?,?)", kAny};
constexpr Table kMarks = {"SELECT * FROM point", "series", "INSERT OR IGNORE INTO point VALUES(?,?,?)", kAny};
/// An entry that does not follow from the one before it is kept: it shows that something is missing.
constexpr Table kDeeds = {"SELECT * FROM deed", "id", "INSERT OR IGNORE INTO deed VALUES(?,?,?,?,?,?,?)", kAny};

Status copy_rows(sql::Connection& from, sql::Connection& to, const Table& table) {
  auto insert = to.prepare(table.insert);
  if (!insert) return fail(std::move(insert.error()));
  Status status;
  journal::each_row(from, table.select, table.key, [&](const sql::Statement& row) {
    if (!status || !table.sound(row)) return;
    Status put = insert->bind_row(row).run();
    if (!put && put.error().code != Errc::corrupt) status = std::move(put);
  });
  return status;
}

Status copy_all(sql::Connection& from, sql::Connection& to) {
  auto transaction = sql::Transaction::begin(to);
  if (!transaction) return fail(std::move(transaction.error()));
  for (const Table* table : {&kUsers, &kTokens, &kMarks, &kConfigurations, &kDeeds}) {
    if (Status status = copy_rows(from, to, *table); !status) return status;
  }
  return transaction->commit();
}

/// Closed when it returns: what can be read of `file` is in its successor.
Result<std::string> salvage(const fs::path& file) {
  journal::forget_successor(file);
  auto to = open_sound(journal::successor_of(file));
  if (!to) return fail(std::move(to.error()));
  if (auto from = sql::Connection::open(file, sql::Connection::Access::salvage)) {
    if (Status status = copy_all(*from, *to); !status) return fail(std::move(status.error()));
  }
  const auto configurations = to->number("SELECT count(*) FROM configuration");
  const auto deeds = to->number("SELECT count(*) FROM deed");
  if (!configurations || !deeds) return fail((configurations ? deeds : configurations).error());
  return fmt::format("{} configurations and {} entries of the audit", *configurations, *deeds);
}

/// Opening it has rolled back what there was to roll back: its journal, left behind, would be taken for the new file's.
Status set_aside(const fs::path& file, const fs::path& aside) {
  std::error_code ignored;
  for (const fs::path& of : {file, journal::successor_of(file)}) fs::remove(of.string() + "-journal", ignored);
  return journal::swap_in_successor(file, aside);
}

std::string sized(std::string_view text) { return fmt::format("{}:{}", text.size(), text); }

}  // namespace

std::string seal_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), hash.data(), &size);
  return fmt::format("{:02x}", fmt::join(hash.begin(), hash.begin() + size, ""));
}

std::string seal_of(std::string_view before, Timestamp time, const Deed& deed) {
  std::string bytes = sized(before) + sized(std::to_string(time.time_since_epoch().count()));
  for (const std::string* text : {&deed.who, &deed.what, &deed.about, &deed.detail}) bytes += sized(*text);
  return seal_of(bytes);
}

std::string detail_of(std::string_view why, std::string_view note) {
  return fmt::format("{}{}{}", why, note.empty() ? "" : ": ", note);
}

std::string note_of(std::string_view why, std::string_view detail) {
  const std::string before = fmt::format("{}: ", why);
  return detail.starts_with(before) ? std::string(detail.substr(before.size())) : "";
}

Result<sql::Connection> open_to_write(const fs::path& file, Timestamp now, std::string& damage) {
  if (Status status = journal::finish_swap(file); !status) return fail(std::move(status.error()));
  auto connection = open_sound(file);
  if (connection || connection.error().code != Errc::corrupt) return connection;
  const std::string why = std::move(connection.error().text);
  const fs::path aside = journal::aside_name(file, now);
  const auto saved = salvage(file);
  if (!saved) return fail(saved.error());
  if (Status status = set_aside(file, aside); !status) return fail(std::move(status.error()));
  damage = fmt::format("{} was damaged ({}) and is set aside as {}; {} could be read of it", kFileName, why,
                       aside.filename().string(), *saved);
  return open_sound(file);
}

Result<sql::Connection> open_as_guest(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return fail(Errc::not_found, "{} is not there: no gateway ran in this folder yet; --data names its storage.path",
                file.string());
  }
  return journal::history::open_as_guest(file);
}

}  // namespace tidegate::state
