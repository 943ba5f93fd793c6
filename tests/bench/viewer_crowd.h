#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::bench {

/// Viewers of a gateway's stream in one thread, as cheap as can be: each reads what comes and notes how old the deltas
/// in it are, by the time that the gateway stamped them with. Those that are stalled read their first bytes and then
/// nothing.
class ViewerCrowd {
 public:
  /// Connects all of them, one after the other, and returns once each has its first bytes. Throws where one is turned
  /// away. `headers` go with each request, each with its CRLF.
  ViewerCrowd(int port, const std::string& headers, std::size_t viewers, std::size_t stalled);
  ~ViewerCrowd();
  ViewerCrowd(const ViewerCrowd&) = delete;
  ViewerCrowd& operator=(const ViewerCrowd&) = delete;

  struct Figures {
    std::vector<float> millis;  ///< age of each delta that came, sorted
    std::uint64_t bytes = 0;    ///< that came
    std::size_t gone = 0;       ///< viewers that the gateway let go
  };
  /// Since the crowd stood, or the last take().
  Figures take();

 private:
  struct Viewer {
    int fd = -1;
    std::string tail;  ///< the last bytes, in which a delta may have begun
  };
  void connect_one(int port, const std::string& request, bool stalled);
  void run(const std::stop_token& stop);
  bool read(Viewer& viewer);

  int epoll_;
  std::vector<Viewer> viewers_;
  std::vector<int> stalled_;
  std::vector<char> buffer_;
  std::mutex mutex_;  ///< of the figures
  Figures figures_;
  std::jthread thread_;
};

}  // namespace tidegate::bench
