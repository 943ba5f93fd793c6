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

/// A gateway that says what it is told to say. Any thread.
class FakeGateway final : public Gateway {
 public:
  GatewayView view() const override {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  Micros stale_after(SeriesId) const override { return stale_after_.load(); }
  Result<AlertRecord> ask(const Wish& wish) override;
  Micros pump_age() const override { return pump_age_.load(); }

  void set_view(GatewayView view) {
    const std::lock_guard lock(mutex_);
    view_ = std::move(view);
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
  /// What ask() does before it answers. Set before the server starts.
  std::function<void()> on_ask;
  std::atomic<Micros> pump_age_{Micros{0}};
  std::atomic<Micros> stale_after_{Micros{3'000'000}};

 private:
  mutable std::mutex mutex_;
  GatewayView view_;
  std::map<std::string, Result<AlertRecord>> answers_;
  std::vector<Wish> wishes_;
};

/// A journal on disk, a gateway that does as told, and a server on a port of its own.
class Rig {
 public:
  explicit Rig(const Options& options = {}, journal::Options journal_options = {});

  void serve();  ///< starts the server
  void stop() { server_.reset(); }
  void reopen();  ///< closes everything and opens the same journal again; the server is not started

  int port() const { return server_->port(); }
  HttpClient http() const { return HttpClient(port()); }
  SseClient viewer(const std::string& last_event_id = {}) const {
    return SseClient(port(), {.last_event_id = last_event_id});
  }

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

 private:
  Options options_;
  journal::Options journal_options_;
  std::unique_ptr<Server> server_;
};

Sample reading(SeriesId series, double value, Micros after_start = Micros{0});
AlertRecord hot_boiler(Phase phase);
/// A batch in which an alert changes in a way that is told.
Batch transition(const AlertRecord& alert, Phase from, const std::string& cause);

}  // namespace tidegate::dashboard::test
