#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/server.h"
#include "dashboard/tls_keeper.h"
#include "gateway/access/access.h"
#include "tests/support/http_client.h"
#include "tests/support/sse_client.h"
#include "tests/support/temp_dir.h"

namespace tidegate::dashboard::test {

using tidegate::test::HttpClient;
using tidegate::test::RawConnection;
using tidegate::test::SseClient;
using tidegate::test::SseEvent;
using tidegate::test::TempDir;

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

/// Keeps rules as the real one does, in memory; a text with "wrong" in it is wrong. Any thread.
class FakeDesk final : public RuleDesk {
 public:
  Result<RuleText> rules_text() const override;
  Result<RuleText> rules_text(std::int64_t version) const override;
  Result<std::vector<RuleVersion>> rule_versions() const override;
  RuleCheck check_rules(const std::string& text) const override;
  Result<RuleSaved> save_rules(const RuleSave& save) override;
  Result<RuleSaved> switch_rule(const RuleSwitch& wish) override;
  std::vector<RuleSwitch> switches() const {
    const std::lock_guard lock(mutex_);
    return switches_;
  }

 private:
  RuleText newest() const;
  mutable std::mutex mutex_;
  std::vector<std::pair<RuleVersion, std::string>> texts_{{{1, kStart, "the gateway", "started", ""}, ""}};
  std::vector<RuleSwitch> switches_;
};

/// A gateway that says what it is told to say. Any thread.
/// A set point of 5 to 30 °C, and a pump that its interlock holds. Any thread.
class FakePoints final : public PointDesk {
 public:
  std::vector<Point> writable() const override {
    return {{"plc1", {"boiler1/setpoint", SeriesKind::number, "°C", 5, 30, {}, ""}},
            {"plc1", {"pump1/mode", SeriesKind::state, "", 0, 0, {"off", "running"}, "pump1/may_run"}}};
  }
  Result<std::string> write(const PointWrite& wish) override {
    if (wish.series == "pump1/mode") return fail(Errc::conflict, "its interlock says no");
    if (wish.series != "boiler1/setpoint") return fail(Errc::not_found, "there is no point '{}'", wish.series);
    const std::lock_guard lock(mutex_);
    writes_.push_back(wish);
    return "set";
  }
  std::vector<PointWrite> writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<PointWrite> writes_;
};

class FakeGateway final : public Gateway {
 public:
  GatewayView view() const override {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  Micros stale_after(SeriesId) const override { return stale_after_.load(); }
  Result<AlertRecord> ask(const Wish& wish) override;
  Result<std::string> ask_reload(const std::string& who) override;
  Result<Pushed> push(const std::string& source, const Push& push) override;
  std::vector<std::uint64_t> sample_counts() const override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  Micros pump_age() const override { return pump_age_.load(); }
  FakeDesk& rules() override { return desk_; }
  FakePoints& points() override { return points_; }
  /// A folder with two files.
  Result<std::filesystem::path> back_up(const std::string& who, const std::function<bool()>& goes_on) override;
  Status factory_reset(const std::string& who) override {
    const std::lock_guard lock(mutex_);
    if (!takes_resets_) return fail(Errc::full, "the disk is full");
    resets_.push_back(who);
    return {};
  }
  /// There is one, 7.
  Result<std::string> resubmit(std::int64_t letter, const std::string& who) override {
    if (letter != 7) return fail(Errc::not_found, "there is no dead letter {}", letter);
    return "read once more for " + who;
  }
  Result<std::vector<state::StateView::Entry>> deeds(std::size_t limit,
                                                     std::optional<std::int64_t> before) const override {
    auto view = state::StateView::open(state_directory);
    return view ? view->newest(limit, before) : fail(view.error());
  }

  void set_view(GatewayView view) {
    const std::lock_guard lock(mutex_);
    view_ = std::move(view);
  }
  void set_counts(std::vector<std::uint64_t> counts) {
    const std::lock_guard lock(mutex_);
    counts_ = std::move(counts);
  }
  /// What reload() answers.
  void set_reload(Result<std::string> answer) {
    const std::lock_guard lock(mutex_);
    reload_ = std::move(answer);
  }
  /// What push() answers.
  void set_pushed(Result<Pushed> answer) {
    const std::lock_guard lock(mutex_);
    pushed_ = std::move(answer);
  }
  struct Arrived {
    std::string source, body, from;
    Push::Format format;
    std::chrono::nanoseconds unit;
  };
  std::vector<Arrived> pushes() const {
    const std::lock_guard lock(mutex_);
    return pushes_;
  }
  /// What ask() answers for an alert; not found for any other.
  void set_answer(const std::string& alert, Result<AlertRecord> answer) {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(alert, std::move(answer));
  }
  std::vector<Wish> wishes() const {
    const std::lock_guard lock(mutex_);
    return wishes_;
  }
  void take_resets(bool takes) {
    const std::lock_guard lock(mutex_);
    takes_resets_ = takes;
  }
  /// Who asked for a factory reset.
  std::vector<std::string> resets() const {
    const std::lock_guard lock(mutex_);
    return resets_;
  }
  std::filesystem::path state_directory;
  std::filesystem::path backup_directory;  ///< in which a backup is made; empty: there is no room
  std::atomic<bool> holds_backup{false};   ///< it takes as long as this, and as somebody waits for it
  std::atomic<bool> backup_is_held{false};
  /// What ask() does before it answers. Set before the server starts.
  std::function<void()> on_ask;
  std::atomic<Micros> pump_age_{Micros{0}};
  std::atomic<Micros> stale_after_{Micros{3'000'000}};

 private:
  mutable std::mutex mutex_;
  GatewayView view_;
  std::map<std::string, Result<AlertRecord>> answers_;
  std::vector<Wish> wishes_;
  bool takes_resets_ = true;
  std::vector<std::string> resets_;
  std::vector<std::uint64_t> counts_;
  Result<Pushed> pushed_ = Pushed{};
  std::vector<Arrived> pushes_;
  Result<std::string> reload_ = "the configuration was reloaded";
  FakePoints points_;
  FakeDesk desk_;
};

/// A certificate of its own that a server makes, for the time of a test program.
const TlsKeeper& made_certificate();

/// A journal on disk, a gateway that does as told, and a server on a port of its own. By TLS where `options` or the
/// environment's TIDEGATE_TESTS_BY_TLS says so.
class Rig {
 public:
  explicit Rig(const Options& options = {}, journal::Options journal_options = {});

  void serve();  ///< starts the server
  void stop() { server_.reset(); }
  void reopen();  ///< closes everything and opens the same journal again; the server is not started

  int port() const { return server_->port(); }
  Server& server() { return *server_; }
  RawConnection::By by() const { return options_.tls != nullptr ? RawConnection::By::tls : RawConnection::By::plain; }
  /// Of an admin, as `viewer` is.
  HttpClient http() const { return HttpClient(port(), token, by()); }
  SseClient viewer(SseClient::Options options) const {
    options.headers += authorization();
    options.by = by();
    return SseClient(port(), options);
  }
  SseClient viewer(const std::string& last_event_id = {}) const {
    return viewer(SseClient::Options{.last_event_id = last_event_id});
  }
  /// The header, with its CRLF.
  std::string authorization() const { return "Authorization: Bearer " + token + "\r\n"; }

  SeriesId series(const std::string& name, SeriesInfo info = {}) {
    return journal->catalogue().intern(name, info).value();
  }
  Seq commit(Batch batch) { return journal->append(std::move(batch)).value()->seq; }
  Seq commit(std::vector<Sample> samples) {
    Batch batch;
    batch.samples = std::move(samples);
    return commit(std::move(batch));
  }
  /// Changes the journal's file behind its back.
  void edit(const char* sql);
  std::string id(Seq seq) const { return journal->epoch() + ":" + std::to_string(number(seq)); }

  TempDir directory;
  FakeClock clock{kStart};
  Metrics metrics;
  FakeGateway gateway;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<state::State> state;
  std::unique_ptr<access::Access> access;
  std::string token;  ///< an admin's, named "rig"

 private:
  Options options_;
  journal::Options journal_options_;
  std::unique_ptr<Server> server_;
};

Sample reading(SeriesId series, double value, Micros after_start = Micros{0});
AlertRecord hot_boiler(Phase phase);
/// A batch in which an alert changes in a way that is told.
Batch transition(const AlertRecord& alert, Phase from, const std::string& cause);
/// Commits some series, and gives the target of a history of them as large as one may ask for: some megabytes.
std::string large_history(Rig& rig);

}  // namespace tidegate::dashboard::test
