#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "dashboard/channel.h"
#include "dashboard/doors.h"
#include "dashboard/fd.h"
#include "dashboard/request_frame.h"
#include "dashboard/web.h"
#include "dashboard/workers.h"
#include "gateway/core/metrics.h"

namespace tidegate::dashboard {

class Hub;

/// Every connection until it is a stream: one epoll thread accepts, reads whole requests under the limits, hands them
/// to workers and writes their answers. No worker ever waits for a peer, so slow peers cost slots, not answers. At the
/// cap the connection that has been idle or sending its head the longest gives way, if that is longer than `patience`;
/// else new ones wait in the kernel's backlog.
class Front {
 public:
  struct Limits {
    RequestLimits request;
    std::size_t connections = 512;
    std::size_t connections_per_address = 256;
    std::size_t requests_per_connection = 1000;
    std::size_t workers = 5;
    std::size_t waiting_jobs = 256;
    std::size_t large_bodies = 8;             ///< that come or are being answered; half of them of one address
    std::size_t waiting_bytes = 32u << 20;    ///< of answers that peers have yet to take, in all
    std::chrono::milliseconds head{5'000};    ///< from a request's first byte to the end of its head
    std::chrono::milliseconds body{10'000};   ///< and from there to the end of its body
    std::chrono::milliseconds idle{15'000};   ///< between two requests
    std::chrono::milliseconds write{10'000};  ///< of an answer, without progress
    std::chrono::milliseconds take{60'000};   ///< and until all of it is taken
    std::chrono::milliseconds patience{500};  ///< before an idle connection may have to give way
    std::chrono::milliseconds linger{1'000};  ///< for what is under way when a connection or the server closes
  };

  Front(Doors doors, Web& web, Hub& hub, Backups& backups, Metrics& metrics, const Limits& limits);
  ~Front();  ///< finishes what is being answered, for at most `linger`

 private:
  using Instant = std::chrono::steady_clock::time_point;
  enum class Stage { reading, working, writing, draining };

  struct Connection {
    std::uint64_t id = 0;
    Channel channel;
    Peer peer;
    Stage stage = Stage::reading;
    Instant since;     ///< when this stage began
    Instant deadline;  ///< of this stage
    std::uint32_t interest = 0;
    std::string in;
    std::size_t searched = 0;
    std::optional<RequestFrame> frame;  ///< complete, its body perhaps not
    bool large = false;                 ///< what it asks has, or may have, a large body
    std::string out;
    std::size_t sent = 0;
    std::size_t served = 0;
    bool close_after = false;
  };
  struct Done {
    std::uint64_t id;
    Answer answer;
  };

  void run(const std::stop_token& stop);
  void turn();
  void accept_all();
  void welcome(Doors::Visitor visitor);
  bool room_for(const std::string& address);
  bool give_way(const std::string* address);
  void listen();
  void pause();
  void want_peers(bool wanted);
  void on_event(std::uint64_t id, std::uint32_t events);
  void read(Connection& connection);
  void drain(Connection& connection);
  void advance(Connection& connection);
  bool room_for_large(const Connection& connection) const;
  bool join(Connection& connection);
  void refuse(Connection& connection, int status, std::string_view why);
  bool await_body(Connection& connection);  ///< false: the connection is gone
  void dispatch(Connection& connection);
  void answer(Connection& connection, std::string bytes, bool close);
  void hold(Connection& connection, std::string bytes);
  void write(Connection& connection);
  void sent_all(Connection& connection);
  void finish_jobs();
  void sweep();
  void enter(Connection& connection, Stage stage, std::chrono::milliseconds deadline, std::uint32_t interest);
  void watch(Connection& connection, std::uint32_t events);
  void close(std::uint64_t id);
  bool busy() const;

  Doors doors_;
  Web& web_;
  Hub& hub_;
  Backups& backups_;
  const Limits limits_;
  Metric& requests_;
  Metric& refused_;
  Metric& waiting_;
  Fd epoll_;
  Wakeup wakeup_;
  std::uint64_t next_id_ = 2;  ///< 0 is for the doors, 1 the wakeup
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::size_t waiting_bytes_ = 0;  ///< of every `out`
  bool listening_ = false;
  Instant listen_again_{};  ///< while not listening
  bool stopping_ = false;

  std::mutex done_mutex_;
  std::vector<Done> done_;
  Workers workers_;  ///< its jobs use what stands above
  std::jthread thread_;
};

}  // namespace tidegate::dashboard
