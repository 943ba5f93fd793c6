#include "tests/dashboard/rig.h"

#include "gateway/journal/sqlite.h"

namespace tidegate::dashboard::test {

Result<AlertRecord> FakeGateway::ask(const Wish& wish) {
  if (on_ask) on_ask();
  const std::lock_guard lock(mutex_);
  wishes_.push_back(wish);
  const auto found = answers_.find(alert_of(wish));
  if (found == answers_.end()) return fail(Errc::not_found, "there is no alert '{}'", alert_of(wish));
  return found->second;
}

Rig::Rig(const Options& options, journal::Options journal_options)
    : options_(options), journal_options_(std::move(journal_options)) {
  options_.port = 0;
  if (options_.version.empty()) options_.version = "1.2.3";
  journal_options_.directory = directory.path();
  reopen();
}

void Rig::serve() {
  auto started = Server::start(options_, *journal, gateway, clock, metrics);
  if (!started) throw std::runtime_error(started.error().text);
  server_ = std::move(*started);
}

void Rig::reopen() {
  server_.reset();
  journal.reset();
  journal = journal::Journal::open(journal_options_, clock, metrics).value();
}

void Rig::edit(const char* sql) {
  auto connection = journal::sql::Connection::open(directory / "journal.db", journal::sql::Connection::Access::write);
  ASSERT_TRUE(connection);
  const Status done = connection->run(sql);
  ASSERT_TRUE(done) << done.error().text;
}

Sample reading(SeriesId series, double value, Micros after_start) {
  return {.series = series, .time = kStart + after_start, .value = value};
}

AlertRecord hot_boiler(Phase phase) {
  AlertRecord alert;
  alert.id = "hot:boiler1";
  alert.rule = "hot";
  alert.series = "boiler1/temperature";
  alert.phase = phase;
  alert.severity = Severity::critical;
  alert.since = kStart;
  alert.raised = phase == Phase::pending ? Timestamp{} : kStart;
  alert.value = 93.25;
  alert.limit = 90;
  alert.unit = "°C";
  alert.message = "boiler1 is at 93.25 °C, limit 90";
  alert.labels = {{"area", "east"}};
  alert.runbook = "Close V12.";
  return alert;
}

Batch transition(const AlertRecord& alert, Phase from, const std::string& cause) {
  Batch batch;
  batch.events.push_back({kStart, AlertTransition{alert, from, cause}});
  batch.alerts.push_back(alert);
  return batch;
}

}  // namespace tidegate::dashboard::test
