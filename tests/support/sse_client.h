#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_client.h"

namespace tidegate::test {

struct SseEvent {
  std::string id, name, data;
  nlohmann::json json() const { return nlohmann::json::parse(data); }
};

/// A viewer of the stream, as a browser's EventSource reads it. Reads when asked, on the caller's thread.
class SseClient {
 public:
  using Milliseconds = std::chrono::milliseconds;

  struct Options {
    std::string last_event_id = {};  ///< as the header
    std::string path = "/api/v1/stream";
    int receive_buffer = 0;  ///< see RawConnection
    RawConnection::By by = RawConnection::By::plain;
    std::string headers = {};  ///< further ones, each with its CRLF
  };
  SseClient(int port, const Options& options);
  /// By a socket in the file system.
  SseClient(const std::filesystem::path& socket, const Options& options);

  /// The next event; nothing when none came in time or the stream ended.
  std::optional<SseEvent> next(Milliseconds patience = std::chrono::seconds(20));
  /// Reads on to the first event of that name for which `good` holds; what comes before it is in `seen`.
  std::optional<SseEvent> wait_for(
      const std::string& name, const std::function<bool(const SseEvent&)>& good = [](const auto&) { return true; },
      Milliseconds patience = std::chrono::seconds(20));
  /// True when the server has ended the stream; reads (and keeps) what comes until then.
  bool ended(Milliseconds patience = std::chrono::seconds(20));

  std::vector<SseEvent> seen;                        ///< all events that next() and wait_for() gave or passed over
  const std::string& head() const { return head_; }  ///< the response's, once an event was read
  const std::string& body() const { return body_; }  ///< every byte of the stream so far
  std::optional<int> retry_ms() const { return retry_ms_; }

 private:
  void ask(const std::string& host, const Options& options);
  void take(const std::string& bytes);
  void line(const std::string& text);

  RawConnection connection_;
  std::string head_, body_, unread_, last_id_;
  SseEvent building_;
  bool in_body_ = false;
  std::deque<SseEvent> ready_;
  std::optional<int> retry_ms_;
};

}  // namespace tidegate::test
