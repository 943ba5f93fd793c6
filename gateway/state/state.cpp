#include "gateway/state/state.h"

#include <nlohmann/json.hpp>

#include "gateway/state/state_file.h"

namespace tidegate::state {
namespace {

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

std::string to_json(const Texts& texts) {
  return nlohmann::json(texts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<std::unique_ptr<State>> State::open(const std::filesystem::path& directory, const Clock& clock, Bounds bounds) {
  std::string damage;
  auto connection = open_to_write(directory / kFileName, clock.now(), damage);
  if (!connection) return fail(std::move(connection.error()));
  return std::unique_ptr<State>(new State(std::move(*connection), clock, bounds, std::move(damage)));
}

Result<std::int64_t> State::adopt(const Texts& texts, std::string_view why, std::string_view who,
                                  std::string_view note) {
  const std::string json = to_json(texts);
  const std::string seal = seal_of(json);
  const std::lock_guard lock(mutex_);
  auto newest = connection_.prepare("SELECT id, seal FROM configuration ORDER BY id DESC LIMIT 1");
  if (!newest) return fail(std::move(newest.error()));
  const Result<bool> row = newest->step();
  if (!row) return fail(row.error());
  if (*row && newest->text(1) == seal) return newest->integer(0);
  newest->reset();

  auto transaction = journal::sql::Transaction::begin(connection_);
  if (!transaction) return fail(std::move(transaction.error()));
  auto insert = connection_.prepare("INSERT INTO configuration(time, why, texts, seal) VALUES(?,?,?,?)");
  if (!insert) return fail(std::move(insert.error()));
  Status status = insert->bind(micros(clock_.now()), why, json, seal).run();
  const std::int64_t id = connection_.last_id();
  if (status) status = append({std::string(who), kConfigurationDeed, std::to_string(id), detail_of(why, note)});
  if (status) status = forget_configurations();
  if (status) status = transaction->commit();
  if (!status) return fail(std::move(status.error()));
  return id;
}

Status State::record(const Deed& deed) {
  return keep([&](journal::sql::Connection&) { return append(deed); });
}

Status State::change(const Deed& deed, const Work& work) {
  return keep([&](journal::sql::Connection& connection) {
    Status status = work(connection);
    return status ? append(deed) : status;
  });
}

Status State::keep(const Work& work) {
  const std::lock_guard lock(mutex_);
  auto transaction = journal::sql::Transaction::begin(connection_);
  if (!transaction) return fail(std::move(transaction.error()));
  if (Status status = work(connection_); !status) return status;
  return transaction->commit();
}

Status State::look(const Work& work) {
  const std::lock_guard lock(mutex_);
  return work(connection_);
}

Status State::append(const Deed& deed) {
  const auto before = connection_.text("SELECT seal FROM deed ORDER BY id DESC LIMIT 1");
  if (!before) return fail(before.error());
  auto insert = connection_.prepare("INSERT INTO deed(time, who, what, about, detail, seal) VALUES(?,?,?,?,?,?)");
  if (!insert) return fail(std::move(insert.error()));
  const Timestamp now = clock_.now();
  const std::string seal = seal_of(*before, now, deed);
  Status status = insert->bind(micros(now), deed.who, deed.what, deed.about, deed.detail, seal).run();
  return status ? forget_deeds() : status;
}

Status State::forget_configurations() {
  // Newest first, each with the bytes of itself and all that are newer.
  auto forget = connection_.prepare(R"(
    DELETE FROM configuration WHERE id IN (
      SELECT id FROM (SELECT id, row_number() OVER newest AS place, sum(length(texts)) OVER newest AS bytes
                      FROM configuration WINDOW newest AS (ORDER BY id DESC))
      WHERE place > 1 AND (place > ? OR bytes > ?)))");
  if (!forget) return fail(std::move(forget.error()));
  return forget
      ->bind(static_cast<std::int64_t>(bounds_.configurations), static_cast<std::int64_t>(bounds_.configuration_bytes))
      .run();
}

Status State::forget_deeds() {
  auto forget = connection_.prepare("DELETE FROM deed WHERE id <= (SELECT max(id) FROM deed) - ?");
  if (!forget) return fail(std::move(forget.error()));
  return forget->bind(static_cast<std::int64_t>(bounds_.deeds)).run();
}

}  // namespace tidegate::state
