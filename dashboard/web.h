#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dashboard/backups.h"
#include "dashboard/doors.h"
#include "dashboard/gate.h"
#include "dashboard/guard.h"
#include "dashboard/request_frame.h"
#include "gateway/core/pattern.h"

namespace tidegate::dashboard {

struct Backend;

/// A viewer's wish: its connection is to become a stream.
struct StreamRequest {
  std::string last_event_id;
  std::vector<Pattern> series;  ///< those it wants to see; none: all
  Pass pass;                    ///< by which it was let in
};

struct Answer {
  std::string bytes;  ///< of the response; empty where the connection is for something else
  bool close = false;
  std::optional<StreamRequest> stream;
  std::unique_ptr<Backups::Turn> backup;  ///< likewise
};

/// On every response.
const std::vector<std::pair<std::string, std::string>>& security_headers();

/// cpp-httplib behind one door: it parses a request and composes the response, both in memory. It owns no socket, no
/// thread and no limit; those are the Front's. Guards every route (Host, Origin, content type, who asks) before it
/// is called.
class Web {
 public:
  struct Limits {
    std::size_t requests = 1000;    ///< a connection
    int idle_seconds = 15;          ///< between two of them
    bool strict_transport = false;  ///< browsers are to come by https alone from now on
  };

  Web(Backend& backend, HostAllowList hosts, Limits limits);
  ~Web();

  /// One framed request, head and body. `last`: the connection closes afterwards. Any thread; never throws.
  Answer answer(std::string_view request, const Peer& peer, bool last);

  /// A response made without parsing: for what is refused before.
  static std::string refusal(int status, std::string_view why);
  const HostAllowList& hosts() const;

 private:
  class Router;
  std::unique_ptr<Router> router_;
};

}  // namespace tidegate::dashboard
