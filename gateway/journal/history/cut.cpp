#include "gateway/journal/history/cut.h"

namespace tidegate::journal::history {
namespace {

/// The last round that may be seen: rounds of one log are in order, and those of an earlier one lie before.
Result<std::int64_t> last_visible(sql::Connection& connection, const Visible& visible) {
  auto rows = connection.prepare("SELECT coalesce(max(id), 0) FROM round WHERE epoch <> ? OR last_seq <= ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(visible.epoch, number(visible.through)).step();
  if (!row) return fail(row.error());
  return rows->integer(0);
}

/// The minutes of a thinned day stay: what they tell is nowhere else.
Status remove_after(sql::Connection& connection, std::int64_t round) {
  auto transaction = sql::Transaction::begin(connection);
  if (!transaction) return fail(std::move(transaction.error()));
  const std::string sql = fmt::format(
      "DELETE FROM chunk WHERE key >= {0}; DELETE FROM round WHERE id > {1};"
      "DELETE FROM minutes WHERE (SELECT round FROM sealed) > {1} AND NOT EXISTS (SELECT 1 FROM thinned);"
      "DELETE FROM sealed WHERE round > {1} AND NOT EXISTS (SELECT 1 FROM thinned);",
      (round + 1) << 32, round);
  if (Status status = connection.run(sql.c_str()); !status) return status;
  return transaction->commit();
}

}  // namespace

Result<bool> cut_back(const std::filesystem::path& file, const Visible& visible) {
  std::int64_t keep = 0;
  {
    auto connection = open_day_to_write(file);
    if (!connection) return fail(std::move(connection.error()));
    const auto last = last_visible(*connection, visible);
    if (!last) return fail(last.error());
    const auto newest = connection->number("SELECT coalesce(max(id), 0) FROM round");
    if (!newest) return fail(newest.error());
    if (*last == *newest) return false;
    keep = *last;
    if (Status status = remove_after(*connection, keep); !status) return fail(std::move(status.error()));
  }
  if (keep == 0) remove_database(file);
  return true;
}

}  // namespace tidegate::journal::history
