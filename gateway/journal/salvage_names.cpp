#include "gateway/journal/salvage_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/journal/event_json.h"
#include "gateway/journal/keyed_rows.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {

void each_row(sql::Connection& from, const std::string& select, const char* key,
              const std::function<void(sql::Statement&)>& take) {
  for (const char* direction : {"", " DESC"}) {
    const std::string query = fmt::format("{} ORDER BY {}{}", select, key, direction);
    auto rows = sql::twice([&] { return from.prepare(query); });
    if (!rows) return;
    Result<bool> row = rows->step();
    for (; row && *row; row = rows->step()) take(*rows);
    if (row) return;
  }
}

void put_label(std::vector<std::string>& labels, std::int64_t code, std::string_view text, bool sound) {
  constexpr std::int64_t kMostLabels = 100'000;
  if (code < 0 || code >= kMostLabels) return;
  const auto at = static_cast<std::size_t>(code);
  if (!sound && at != labels.size()) return;
  if (labels.size() <= at) labels.resize(at + 1);
  if (sound) labels[at] = text;
}

std::uint64_t name_lost_labels(std::vector<std::string>& labels) {
  std::uint64_t lost = 0;
  for (std::size_t code = 0; code < labels.size(); ++code) {
    if (!labels[code].empty()) continue;
    labels[code] = fmt::format("lost {}", code);
    ++lost;
  }
  return lost;
}

std::vector<Catalogue::Entry> read_names(sql::Connection& log, bool has_crc, std::int64_t most_id,
                                         std::uint64_t& lost) {
  std::vector<Catalogue::Entry> entries;
  const auto entry = [&entries](std::int64_t id) -> Catalogue::Entry& {
    for (auto next = static_cast<std::uint32_t>(entries.size()); next <= id; ++next) {
      entries.push_back({SeriesId{next}, fmt::format("lost/{}", next), {}, {}});
    }
    return entries[static_cast<std::size_t>(id)];
  };
  const auto sound = [&](const char* crc) { return has_crc ? sound_by(crc) : std::string("1"); };
  const auto newest = sql::twice([&] { return log.number("SELECT max(id) FROM series"); });
  constexpr std::int64_t kMostIds = 10'000'000;
  const std::int64_t last = std::clamp<std::int64_t>(newest.value_or(0), most_id, kMostIds);
  std::uint64_t read = 0;
  if (most_id >= 0) entry(most_id);
  const auto take = [&](sql::Statement& row) -> Result<bool> {
    auto labels = labels_from_json(row.text(6));
    const std::int64_t kind = row.integer(2);
    if (row.integer(7) == 0 || !valid_series_name(row.text(1)) || !labels || kind < 0 ||
        kind > static_cast<std::int64_t>(SeriesKind::state)) {
      return true;
    }
    Catalogue::Entry& known = entry(row.integer(0));
    known.name = row.text(1);
    known.info = {static_cast<SeriesKind>(kind), std::string(row.text(3)), std::string(row.text(4)),
                  Micros{row.integer(5)}, std::move(*labels)};
    ++read;
    return true;
  };
  KeyedRows rows(
      log,
      fmt::format("SELECT id, name, kind, unit, source, expected_interval, labels, {} FROM series", sound(kSeriesCrc)),
      "id");
  static_cast<void>(rows.read(0, last, take));
  lost += entries.size() - read;
  const std::string select = fmt::format("SELECT series, code, text, {} FROM label", sound(kLabelCrc));
  each_row(log, select, "series, code", [&](sql::Statement& row) {
    const std::int64_t id = row.integer(0);
    if (id < 0 || id >= kMostIds) return;
    put_label(entry(id).labels, row.integer(1), row.text(2), row.integer(3) != 0);
  });
  for (Catalogue::Entry& known : entries) lost += name_lost_labels(known.labels);
  return entries;
}

}  // namespace tidegate::journal
