#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/metrics.h"
#include "gateway/core/result.h"
#include "gateway/journal/journal.h"

namespace tidegate::dashboard {

struct Options {
  std::string address = "127.0.0.1";
  int port = 8080;  ///< 0: any free one
  std::size_t max_streams = 64;
  std::size_t max_streams_per_address = 16;
  std::string name, site, version;
  bool demo = false;
  std::vector<std::string> hosts;  ///< further names by which browsers reach it (an IP address, localhost, *.local and
                                   ///< the machine's own name need no mention); any other Host is refused
  struct Stream {
    std::chrono::milliseconds tick{250};  ///< between two deltas
    std::chrono::milliseconds ping{10'000};
    std::chrono::milliseconds stalled{10'000};  ///< without progress: the viewer is let go
  } stream;
};

/// What the page shows of the running gateway beside the journal: `app` fills it in, from any thread. JSON text as in
/// docs/api.md is made here, so these are plain numbers and words.
struct SourceView {
  std::string name, type, text;
  SourceHealth health{};
  Timestamp since{};
  std::size_t series = 0;
  double rate = 0;  ///< samples a second
  std::uint64_t rejected = 0;
};
struct RuleView {
  std::string name, kind, condition, series;
  Severity severity{};
  std::size_t instances = 0, active = 0;
  std::size_t unfit = 0;              ///< series that it matches and cannot watch
  std::vector<std::string> problems;  ///< why, of the first of them
};
/// What storing costs the flash, lately.
struct WearView {
  double bytes_a_sample = 0, bytes_a_day = 0, life_years = 0;
};
struct StoreView {
  SourceHealth health = SourceHealth::up;
  std::string text;
  double rate = 0, commit_p50_ms = 0, commit_p99_ms = 0;
  std::size_t queue_depth = 0, queue_capacity = 0;
  std::uint64_t dropped = 0, used_bytes = 0, max_bytes = 0;
  bool takes_samples = true, takes_alerts = true;
  std::size_t alerts_waiting = 0;    ///< transitions that are not on disk, and so shown and sent nowhere
  std::vector<std::string> notices;  ///< damage that was met since the start, and what it cost
  std::optional<WearView> wear;
};
struct UplinkView {
  std::string name, type, text;
  SourceHealth health{};
  std::uint64_t backlog_batches = 0, lost_batches = 0;
  std::optional<Timestamp> backlog_oldest, last_ack;
  double rate = 0;
  std::optional<double> drain_seconds;
};
struct GatewayView {
  Timestamp started{};
  std::vector<SourceView> sources;
  std::vector<RuleView> rules;
  std::optional<Flood> flood;  ///< of alerts, the one that is on
  StoreView store;
  std::vector<UplinkView> uplinks;
};

/// What the dashboard may ask of the gateway. Implemented by `app`; any thread.
class Gateway {
 public:
  virtual ~Gateway() = default;
  virtual GatewayView view() const = 0;
  /// When three times the expected or learned interval has passed a value is stale.
  virtual Micros stale_after(SeriesId series) const = 0;
  /// Hands the wish to the pump and waits for its commit (at most 5 s). Errc::not_found, Errc::conflict (nothing to
  /// change), Errc::timed_out.
  virtual Result<AlertRecord> ask(const Wish& wish) = 0;
  /// How long ago the pump last went round.
  virtual Micros pump_age() const = 0;
};

/// The HTTP server: the page, the REST answers and the stream. Owns its threads, seven however many viewers there are:
/// one for the connections, four workers, one that serves every viewer and one that waits for the journal to grow.
class Server {
 public:
  /// Binds and starts to serve. Errc::conflict when the address is taken.
  static Result<std::unique_ptr<Server>> start(const Options& options, const journal::Journal& journal,
                                               Gateway& gateway, const Clock& clock, Metrics& metrics);
  ~Server();  ///< tells the viewers goodbye, then stops
  int port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::dashboard
