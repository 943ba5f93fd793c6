#include "drivers/snmp/device.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/files.h"
#include "drivers/snmp/reading.h"
#include "drivers/troubles.h"

namespace tidegate::drivers::snmp {
Object::Object(std::string series, const ObjectOptions& options, Micros every)
    : point_(std::move(series), options.value), every_(every) {}

Status Object::open(Sink& sink) {
  if (!point_.options().kind) return {};
  return point_.open(sink, *point_.options().kind, every_);
}

std::string Object::take(const Varbind& varbind, Turn& turn) {
  if (varbind.type == Varbind::Type::nothing) {
    lose(Reason::device_fault, turn);
    return fmt::format("{}: {}", point_.series(), varbind.text);
  }
  if (!point_.is_open()) {
    if (Status opened = point_.open(turn.sink, kind_of(varbind), every_); !opened) return opened.error().text;
  }
  const Timestamp now = turn.clock.now();
  tell_wrap(varbind, now, turn);
  std::string text;
  return point_.take(turn.sink, reading_of(varbind, text), now, turn.samples);
}

// A series that falls has begun anew at 0 for those who count it: one that wrapped was at 2^32 before. A code for a
// fault is no count. What is told not to be a counter is shown as it is.
void Object::tell_wrap(const Varbind& varbind, Timestamp now, Turn& turn) {
  const ValueOptions& options = point_.options();
  if (varbind.type != Varbind::Type::counter32 || options.kind.value_or(SeriesKind::counter) != SeriesKind::counter) {
    return;
  }
  if (word_of(options.faults, varbind.number) != nullptr) return count_.miss(now);
  if (const auto at = count_.take(varbind, now)) {
    point_.add(turn.sink, {Reading::Type::number, Counter32::kRange}, *at, turn.samples);
  }
}

void Object::lose(Reason why, Turn& turn) {
  const Timestamp now = turn.clock.now();
  count_.miss(now);
  point_.lose(why, now, turn.samples);
}

Table::Table(std::string prefix, TableOptions options, std::size_t most_rows)
    : prefix_(std::move(prefix)), options_(std::move(options)), most_rows_(most_rows) {
  if (!options_.rows.empty()) columns_.push_back(options_.rows);
  for (const ObjectOptions& column : options_.columns) columns_.push_back(column.oid);
}

Result<std::string> Table::read(Agent& agent, Turn& turn) {
  auto walked = agent.walk(columns_, most_rows_, turn.stop);
  if (!walked) return fail(walked.error());
  Troubles troubles;
  if (!walked->trouble.empty()) troubles.add(prefix_ + ": " + walked->trouble);
  if (walked->rows.empty()) troubles.add(prefix_ + ": the agent has no such table, or nothing in it");
  for (auto& [name, row] : rows_) row.seen = false;
  std::set<std::string> taken;
  for (auto& [index, cells] : walked->rows) {
    const bool named = !options_.rows.empty();
    std::string name = row_level(named && cells[0] ? &*cells[0] : nullptr, index);
    const bool wanted = options_.only.empty() || std::any_of(options_.only.begin(), options_.only.end(),
                                                             [&](const auto& only) { return as_level(only) == name; });
    if (!wanted) continue;
    if (!taken.insert(name).second) taken.insert(name = fmt::format("{}_{}", name, index.text()));
    if (named) cells.erase(cells.begin());
    troubles.add(take_row(name, cells, turn));
  }
  drop_unseen(turn);
  if (!walked->rows.empty()) troubles.add(missing(taken));
  return troubles.text();
}

std::string Table::take_row(const std::string& name, const std::vector<std::optional<Varbind>>& cells, Turn& turn) {
  Troubles troubles;
  Row& row = rows_[name];
  row.seen = true;
  row.objects.resize(options_.columns.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::optional<Object>& object = row.objects[i];
    if (cells[i]) {
      if (!object) {
        object.emplace(fmt::format("{}/{}/{}", prefix_, name, options_.columns[i].name), options_.columns[i],
                       options_.every);
        if (Status opened = object->open(turn.sink); !opened) troubles.add(opened.error().text);
      }
      troubles.add(object->take(*cells[i], turn));
    } else if (object) {
      object->lose(Reason::no_answer, turn);
      object.reset();
    }
  }
  return troubles.text();
}

// A row that is gone is told once, and begun anew when it comes back.
void Table::drop_unseen(Turn& turn) {
  for (auto at = rows_.begin(); at != rows_.end();) {
    if (at->second.seen) {
      ++at;
      continue;
    }
    for (auto& object : at->second.objects) {
      if (object) object->lose(Reason::no_answer, turn);
    }
    at = rows_.erase(at);
  }
}

// Rows that are wanted by name, and columns that none of the rows has. A row may lack a column that others have.
std::string Table::missing(const std::set<std::string>& rows) const {
  Troubles troubles;
  for (const std::string& wanted : options_.only) {
    if (!rows.contains(as_level(wanted))) troubles.add(fmt::format("{}: there is no row '{}'", prefix_, wanted));
  }
  for (std::size_t i = 0; !rows_.empty() && i < options_.columns.size(); ++i) {
    const auto has = [i](const auto& row) { return row.second.objects[i].has_value(); };
    if (std::any_of(rows_.begin(), rows_.end(), has)) continue;
    troubles.add(fmt::format("{}: no row has the column '{}'", prefix_, options_.columns[i].name));
  }
  return troubles.text();
}

void Table::lose(Reason why, Turn& turn) {
  for (auto& [name, row] : rows_) {
    for (auto& object : row.objects) {
      if (object) object->lose(why, turn);
    }
  }
}

Device::Device(Options options) : agent_(std::move(options.access), options.most_objects) {
  for (const PointOptions& point : options.points) {
    Group& group = group_of(point.every, groups_);
    group.points.emplace_back(options.prefix + '/' + point.object.name, point.object, point.every);
    group.oids.push_back(point.object.oid);
  }
  for (TableOptions& table : options.tables) {
    Group& group = group_of(table.every, groups_);
    std::string prefix = options.prefix + '/' + table.name;
    group.tables.emplace_back(std::move(prefix), std::move(table), options.most_rows);
  }
}

std::vector<Micros> Device::intervals() const { return intervals_of(groups_); }

Status Device::open(Sink& sink) {
  Status status;
  for (Group& group : groups_) {
    for (Object& point : group.points) {
      if (Status opened = point.open(sink); !opened) status = opened;
    }
  }
  return status;
}

Result<std::string> Device::read(std::size_t number, Turn& turn) {
  Group& group = groups_[number];
  Troubles troubles;
  const auto varbinds = agent_.get(group.oids, turn.stop);
  if (!varbinds) return fail(varbinds.error());
  for (std::size_t i = 0; i < varbinds->size(); ++i) troubles.add(group.points[i].take((*varbinds)[i], turn));
  for (Table& table : group.tables) {
    const auto read = table.read(agent_, turn);
    if (!read) return fail(read.error());
    troubles.add(*read);
  }
  return troubles.text();
}

void Device::lose(std::size_t number, Reason why, Turn& turn) {
  for (Object& point : groups_[number].points) point.lose(why, turn);
  for (Table& table : groups_[number].tables) table.lose(why, turn);
}

}  // namespace tidegate::drivers::snmp
