#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dashboard/api.h"
#include "dashboard/guard.h"
#include "dashboard/request_frame.h"

namespace tidegate::dashboard {

struct Peer {
  std::string address;
  int port = 0;
};

/// A viewer's wish: its connection is to become a stream.
struct StreamRequest {
  std::string last_event_id;
};

struct Answer {
  std::string bytes;  ///< of the response; empty where `stream` is set
  bool close = false;
  std::optional<StreamRequest> stream;
};

/// On every response.
const std::vector<std::pair<std::string, std::string>>& security_headers();

/// cpp-httplib behind one door: it parses a request and composes the response, both in memory. It owns no socket, no
/// thread and no limit; those are the Front's. Guards every route (Host, Origin, content type) before it is called.
class Web {
 public:
  struct Limits {
    std::size_t requests = 1000;  ///< a connection
    int idle_seconds = 15;        ///< between two of them
  };

  Web(Api& api, HostAllowList hosts, Limits limits);
  ~Web();

  /// One framed request, head and body. `last`: the connection closes afterwards. Any thread; never throws.
  Answer answer(std::string_view request, const Peer& peer, bool last);

  /// A response made without parsing: for what is refused before.
  static std::string refusal(int status, std::string_view why);

 private:
  class Router;
  std::unique_ptr<Router> router_;
};

}  // namespace tidegate::dashboard
