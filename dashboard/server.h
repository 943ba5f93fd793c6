#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/point_desk.h"
#include "dashboard/rule_desk.h"
#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/metrics.h"
#include "gateway/core/push.h"
#include "gateway/core/result.h"
#include "gateway/core/turns.h"
#include "gateway/core/types.h"
#include "gateway/journal/journal.h"
#include "gateway/state/state_view.h"

namespace tidegate::access {
class Access;
}

namespace tidegate::dashboard {

class TlsKeeper;

struct Options {
  std::string address = "127.0.0.1";
  int port = 8080;               ///< 0: any free one
  std::filesystem::path socket;  ///< for this machine's own user, beside the port; empty: none
  std::size_t max_streams = 64;
  std::size_t max_streams_per_address = 16;
  std::string name, site, version;
  Timestamp released{};          ///< that version
  std::string security_contact;  ///< of /.well-known/security.txt; empty: there is none
  bool demo = false;
  const TlsKeeper* tls = nullptr;  ///< what is spoken at the port, outlives the server; null: plain HTTP
  bool insecure = false;           ///< plain HTTP at an address that others reach: the page says so
  std::vector<std::string> hosts;  ///< further names by which browsers reach it (an IP address, localhost, *.local and
                                   ///< the machine's own name need no mention); any other Host is refused
  struct Stream {
    std::chrono::milliseconds tick{250};  ///< between two deltas
    std::chrono::milliseconds ping{10'000};
    std::chrono::milliseconds rotate{3'600'000};  ///< about when a viewer is asked to come anew
    std::chrono::milliseconds stalled{10'000};    ///< without progress: the viewer is let go
    std::chrono::milliseconds passes{60'000};     ///< between two looks at whose right has ended by time alone
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
  std::optional<Turns> turns{};  ///< of one that takes none, and before the first: nothing
};
struct RuleView {
  std::string name, kind, condition, series;
  Severity severity{};
  std::string version;  ///< of what is written
  std::string file;     ///< where it stands, beside tidegate.yaml or, `editable`, in the storage folder
  int line = 0;
  bool editable = false;  ///< by the gateway itself
  bool enabled = true;    ///< as it is written
  struct Off {
    std::string who;
    Timestamp since{};
    std::string note;
  };
  std::optional<Off> off;  ///< somebody has turned it off
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
/// What the dashboard itself shows by TLS.
struct CertificateView {
  std::string fingerprint;  ///< SHA-256, as browsers show it
  Timestamp until{};
  bool own = false;     ///< the user's
  std::string trouble;  ///< why the files that are there now are not in use
};
struct GatewayView {
  Timestamp started{};
  std::optional<CertificateView> certificate;  ///< none: plain HTTP
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
  /// Takes the configuration on disk over, as SIGHUP does, and says what came of it. Errc::invalid has every problem,
  /// and nothing was changed. Errc::conflict (another is under way), Errc::timed_out (it goes on), Errc::stopped.
  virtual Result<std::string> ask_reload(const std::string& who) = 0;
  /// Hands what a program sends to the source of that name (empty: the only one that is pushed to) and waits until all
  /// that it took of it is on disk (at most 5 s). Errc::invalid and Errc::full as Inlet::take; Errc::not_found (no such
  /// source), Errc::conflict (which one?), Errc::unavailable and Errc::timed_out: nothing is promised, send it again.
  virtual Result<Pushed> push(const std::string& source, const Push& push) = 0;
  /// How many samples of each series came since the start, in order of their ids; those beyond the end have none.
  virtual std::vector<std::uint64_t> sample_counts() const = 0;
  /// How long ago the pump last went round.
  virtual Micros pump_age() const = 0;
  virtual RuleDesk& rules() = 0;
  virtual PointDesk& points() = 0;
  /// Copies the store to a folder of its own, which is the caller's to remove; there is one at a time. Takes minutes,
  /// as long as `goes_on` says so. Errc::full (no room for it), Errc::stopped.
  virtual Result<std::filesystem::path> back_up(const std::string& who, const std::function<bool()>& goes_on) = 0;
  /// Has the gateway become as new: begins it, durably, and comes back before anything is wiped. Errc::conflict: it was
  /// begun before; Errc::io, Errc::full: nothing was.
  virtual Status factory_reset(const std::string& who) = 0;
  /// Has the source of a dead letter read it once more; says what came of it. Errc::not_found; Errc::conflict says why
  /// nothing can.
  virtual Result<std::string> resubmit(std::int64_t letter, const std::string& who) = 0;
  /// Of the audit, newest first; those before an entry where it is given.
  virtual Result<std::vector<state::StateView::Entry>> deeds(std::size_t limit,
                                                             std::optional<std::int64_t> before) const = 0;
};

/// The HTTP server: the page, the REST answers and the stream. Owns its threads, seven however many viewers there are:
/// one for the connections, five workers, one that serves every viewer and one that waits for the journal to grow.
class Server {
 public:
  /// Binds and starts to serve. Errc::conflict when the address is taken. Without its socket it serves all the same,
  /// and without `access` nobody can log in, which leaves the socket.
  static Result<std::unique_ptr<Server>> start(const Options& options, const journal::Journal& journal,
                                               access::Access* access, Gateway& gateway, const Clock& clock,
                                               Metrics& metrics);
  ~Server();  ///< tells the viewers goodbye, then stops
  int port() const;
  /// Why there is no socket, or empty.
  const std::string& notice() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::dashboard
