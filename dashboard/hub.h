#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "dashboard/board.h"
#include "dashboard/channel.h"
#include "dashboard/fd.h"
#include "dashboard/web.h"

namespace tidegate::dashboard {

/// Every viewer of the stream, served by one thread: it follows the journal like any consumer, encodes once a tick, and
/// writes without ever waiting. What must not be lost (alerts, source changes) waits in a short queue a viewer; all
/// else is the latest picture, told when the viewer has room. A viewer that takes nothing for `stalled` is let go.
class Hub {
 public:
  Hub(const Options& options, const journal::Journal& journal, const Gate& gate, Gateway& gateway, const Clock& clock,
      Metrics& metrics);
  ~Hub();  ///< says `bye` to every viewer

  /// The connection becomes a stream, or is told that there are too many. Any thread.
  void join(Channel channel, std::string address, StreamRequest request);

 private:
  using Instant = std::chrono::steady_clock::time_point;

  struct Joining {
    Channel channel;
    std::string address;
    StreamRequest request;
  };
  struct Viewer {
    Channel channel;
    std::string address;
    Pass pass;
    std::shared_ptr<Selection> selection;
    std::deque<Frame> queue;
    std::size_t offset = 0;  ///< of the first frame, sent already
    bool waits_for_room = false;
    Board::Tick seen = 0;
    Instant progress, next_ping, until;
  };
  using Viewers = std::unordered_map<int, Viewer>;  ///< by descriptor
  /// What is encoded already, of the series selected, for who has seen up to a tick.
  using Encoded = std::map<std::pair<std::shared_ptr<Selection>, Board::Tick>, Frame>;

  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);  ///< the second thread: wakes the first when the journal grows
  void turn(std::chrono::milliseconds timeout);
  void on_event(int fd, std::uint32_t events);
  void admit();
  void welcome(Joining joining, Board::Tick seen, Encoded& snapshots);
  std::shared_ptr<Selection> selection_of(std::vector<Pattern> patterns);
  bool full(const std::string& address) const;
  void read_journal();
  void tick();
  void refresh_state(Instant now);
  void check_passes(Instant now);
  template <class Which>
  void let_go(const Which& which, std::string_view why);  ///< tells them so
  void update(Viewer& viewer, Board::Tick closed, Encoded& encoded);
  void broadcast(const Frame& frame);
  bool flush(Viewer& viewer);                             ///< false: the viewer is gone
  std::optional<std::size_t> write_some(Viewer& viewer);  ///< as Channel::write
  void want_room(Viewer& viewer, bool wanted);
  void drop(int fd);
  void farewell();
  std::string head() const;
  int retry_ms(int from, int to);

  const Options& options_;
  const journal::Journal& journal_;
  const Gate& gate_;
  const Clock& clock_;
  Metric& viewers_now_;
  Metric& joined_;
  Metric& evicted_;
  Metric& turned_away_;
  Board board_;
  Fd epoll_;
  Wakeup wakeup_;
  Viewers viewers_;
  std::map<std::string, std::weak_ptr<Selection>> selections_;  ///< by key_of
  Instant next_tick_{}, state_at_{}, passes_at_{};
  std::uint64_t revision_ = 0;  ///< of the gate's, when passes were checked
  std::minstd_rand random_;

  std::mutex joining_mutex_;
  std::vector<Joining> joining_;
  std::jthread thread_, follower_;
};

}  // namespace tidegate::dashboard
