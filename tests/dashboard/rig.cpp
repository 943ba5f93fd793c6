#include "tests/dashboard/rig.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

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

Result<std::string> FakeGateway::ask_reload(const std::string&) {
  const std::lock_guard lock(mutex_);
  return reload_;
}

Result<std::filesystem::path> FakeGateway::back_up(const std::string& who, const std::function<bool()>& goes_on) {
  if (backup_directory.empty()) return fail(Errc::full, "there is no room for a backup");
  while (holds_backup && goes_on()) {
    backup_is_held = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  backup_is_held = false;
  if (!goes_on()) return fail(Errc::stopped, "stopped");
  const std::filesystem::path folder = backup_directory / "made";
  std::filesystem::create_directories(folder / "history");
  std::ofstream(folder / "backup.json") << who;
  std::ofstream(folder / "history" / "day.db") << std::string(200'000, 'x');
  return folder;
}

RuleText FakeDesk::newest() const { return {texts_.back().second, "e" + std::to_string(texts_.back().first.id)}; }

Result<RuleText> FakeDesk::rules_text() const {
  const std::lock_guard lock(mutex_);
  return newest();
}

Result<RuleText> FakeDesk::rules_text(std::int64_t version) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [one, text] : texts_) {
    if (one.id == version) return RuleText{text, "e" + std::to_string(one.id)};
  }
  return fail(Errc::not_found, "there is no configuration {}", version);
}

Result<std::vector<RuleVersion>> FakeDesk::rule_versions() const {
  const std::lock_guard lock(mutex_);
  std::vector<RuleVersion> versions;
  for (auto one = texts_.rbegin(); one != texts_.rend(); ++one) versions.push_back(one->first);
  return versions;
}

RuleCheck FakeDesk::check_rules(const std::string& text) const {
  if (text.find("wrong") != text.npos) return {{{"rules.yaml", 2, 3, "unknown key 'wrong'"}}, {}, {}, {}, {}};
  return {{}, {"new"}, {"old"}, {"edited"}, {"old:boiler1"}};
}

Result<RuleSaved> FakeDesk::save_rules(const RuleSave& save) {
  const std::lock_guard lock(mutex_);
  const std::string etag = newest().etag;
  if (std::find(save.expected.begin(), save.expected.end(), etag) == save.expected.end() &&
      std::find(save.expected.begin(), save.expected.end(), "*") == save.expected.end()) {
    return fail(Errc::conflict, "the rules were changed meanwhile by {}", texts_.back().first.who);
  }
  if (auto problems = check_rules(save.text).problems; !problems.empty()) return RuleSaved{std::move(problems), {}, {}};
  const std::int64_t id = texts_.back().first.id + 1;
  texts_.push_back({{id, kStart, save.who, save.why, save.note}, save.text});
  return RuleSaved{{}, save.why, newest().etag};
}

Result<RuleSaved> FakeDesk::switch_rule(const RuleSwitch& wish) {
  const std::lock_guard lock(mutex_);
  if (wish.name != "hot") return fail(Errc::not_found, "there is no rule '{}'", wish.name);
  if (!switches_.empty() && switches_.back().off == wish.off) return fail(Errc::conflict, "it is that already");
  switches_.push_back(wish);
  return RuleSaved{{}, wish.off ? "rule off hot" : "rule on hot", newest().etag};
}

Result<Pushed> FakeGateway::push(const std::string& source, const Push& push) {
  const std::lock_guard lock(mutex_);
  pushes_.push_back({source, std::string(push.body), std::string(push.from), push.format, push.unit});
  return pushed_;
}

const TlsKeeper& made_certificate() {
  static const TempDir directory;
  static const auto keeper = TlsKeeper::open({.folder = directory / "tls",
                                              .names =
                                                  [] {
                                                    return std::vector<std::string>{"localhost", "127.0.0.1"};
                                                  }},
                                             std::nullopt)
                                 .value();
  return *keeper;
}

Rig::Rig(const Options& options, journal::Options journal_options)
    : options_(options), journal_options_(std::move(journal_options)) {
  options_.port = 0;
  if (std::getenv("TIDEGATE_TESTS_BY_TLS") != nullptr) options_.tls = &made_certificate();
  if (options_.version.empty()) options_.version = "1.2.3";
  journal_options_.directory = directory.path();
  reopen();
  state = state::State::open(directory.path(), clock).value();
  gateway.state_directory = directory.path();
  access = access::Access::open(*state, directory.path(), clock).value();
  token = access->make_token({"rig", access::Role::admin}, "rig", access::Role::admin, {}).value();
}

void Rig::serve() {
  auto started = Server::start(options_, *journal, access.get(), gateway, clock, metrics);
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

std::string large_history(Rig& rig) {
  constexpr int kSeries = 12, kPoints = 5000;
  std::string target = "/api/v1/history?from=1700000000000000&to=1700005000000000&points=5000";
  std::vector<Sample> samples;
  for (int s = 0; s < kSeries; ++s) {
    const std::string name = "a/" + std::to_string(s);
    const auto series = rig.series(name);
    for (int i = 0; i < kPoints; ++i) samples.push_back(reading(series, i * 0.1234567 + s, std::chrono::seconds(i)));
    target += "&series=" + name;
  }
  rig.commit(std::move(samples));
  return target;
}

}  // namespace tidegate::dashboard::test
