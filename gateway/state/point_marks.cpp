#include "gateway/state/point_marks.h"

namespace tidegate::state {

namespace sql = journal::sql;

Result<std::map<std::string, Seq, std::less<>>> PointMarks::all() const {
  std::map<std::string, Seq, std::less<>> marks;
  const Status read = state_.look([&](sql::Connection& connection) -> Status {
    auto rows = connection.prepare("SELECT series, seq FROM point WHERE epoch = ?");
    if (!rows) return fail(std::move(rows.error()));
    rows->bind(epoch_);
    while (true) {
      const Result<bool> row = rows->step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      marks.emplace(rows->text(0), Seq{rows->integer(1)});
    }
  });
  if (!read) return fail(read.error());
  return marks;
}

Status PointMarks::put(const Deed& deed, Seq through) {
  return state_.change(deed, [&](sql::Connection& connection) -> Status {
    auto put = connection.prepare(
        "INSERT INTO point VALUES(?,?,?) ON CONFLICT(series) DO UPDATE SET "
        "seq = iif(epoch = excluded.epoch, max(seq, excluded.seq), excluded.seq), epoch = excluded.epoch");
    if (!put) return fail(std::move(put.error()));
    return put->bind(deed.about, epoch_, number(through)).run();
  });
}

}  // namespace tidegate::state
