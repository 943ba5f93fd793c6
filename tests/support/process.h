#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::test {

/// How often a test that kills does so: `usual`, or TIDEGATE_KILLS for a soak.
int kills(int usual);
/// How often a test whose peers come and go loses them: `usual`, or TIDEGATE_FLAPS for a soak.
int flaps(int usual);
/// How many seeds a campaign of damage draws: `usual`, or TIDEGATE_CAMPAIGN_SEEDS for the whole of it.
int seeds(int usual);
/// The first of them: 0, or TIDEGATE_CAMPAIGN_FIRST, to go on where a campaign ended or to see one seed alone.
int first_seed();

/// A child process, started without a shell, its standard output and error collected together. The child dies with the
/// thread that started it, so start it from the test's own. One owner; output() and the waits may be called by any
/// thread.
class Process {
 public:
  using Milliseconds = std::chrono::milliseconds;

  /// `command` is the program (looked up in PATH and the sbin folders unless it has a '/') and its arguments;
  /// `environment` is added to ours. Throws when it cannot be started.
  explicit Process(std::vector<std::string> command, const std::map<std::string, std::string>& environment = {});
  /// Kills it if it still runs, and reaps it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number);
  /// SIGKILL, then waits.
  void kill();
  /// SIGTERM, then waits; SIGKILL after `patience`. The exit status as wait() gives it.
  int terminate(Milliseconds patience = std::chrono::seconds(20));
  /// The exit status, or 128 + signal as a shell says it; nothing when it still runs after `patience`. Once it has
  /// ended, its output is whole: all but what children of its own that outlive it say 5 s later.
  std::optional<int> wait(Milliseconds patience);
  bool running();

  std::string output() const;
  /// True as soon as the output holds `text`; false after `patience`, or when the output has ended without it.
  bool wait_for_output(const std::string& text, Milliseconds patience = std::chrono::seconds(20)) const;

 private:
  void collect(int fd);
  void wait_for_end_of_output() const;

  pid_t pid_ = -1;
  std::optional<int> status_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string output_;
  bool ended_ = false;
  std::jthread reader_;
};

struct Finished {
  int status;
  std::string output;
};
/// Runs a program to its end (killed, status 137, after `patience`).
Finished run(std::vector<std::string> command, const std::map<std::string, std::string>& environment = {},
             std::chrono::milliseconds patience = std::chrono::seconds(60));

/// A TCP port on 127.0.0.1 that nobody listens on at this moment.
int free_port();
/// True once something accepts on 127.0.0.1:port.
bool wait_for_port(int port, std::chrono::milliseconds patience);

/// Asks `condition` until it holds; false after `patience`. For bounded waits that do not assert timings.
template <class Condition>
bool eventually(const Condition& condition, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace tidegate::test
