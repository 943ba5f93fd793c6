#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "dashboard/query.h"
#include "dashboard/server.h"
#include "dashboard/workers.h"

namespace tidegate::dashboard {

struct Call {
  Query query;
  std::string body;
  std::string address;  ///< of the client
};
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// HTTP's own words for a status that we refuse with.
std::string_view status_title(int status);
/// `application/problem+json`; `detail` says what, where and what to do next.
Reply problem(int status, std::string_view detail);

/// The answers of docs/api.md, the stream apart. Any thread.
class Api {
 public:
  Api(const Options& options, const journal::Journal& journal, Gateway& gateway, const Clock& clock, Metrics& metrics);

  struct Route {
    std::string_view method, path;
    Reply (Api::*call)(const Call&);
    Workers::Lane lane;
    std::span<const std::string_view> parameters{};  ///< of its query; any other is refused
  };
  /// The one list of routes.
  static std::span<const Route> routes();
  /// Slow for what reads the disk or waits for a commit, or might: an escaped path.
  static Workers::Lane lane(std::string_view path);

  Reply health(const Call&);
  Reply metrics(const Call&);
  Reply series(const Call&);
  Reply history(const Call& call);
  Reply alerts(const Call&);
  Reply alert_log(const Call& call);
  Reply snapshots(const Call& call);
  Reply snapshot(const Call& call);
  Reply acknowledge(const Call& call);
  Reply shelve(const Call& call);
  Reply unshelve(const Call& call);
  Reply state(const Call&);
  Reply dead_letters(const Call& call);

 private:
  template <class OneWish>
  Reply ask(Result<OneWish> wish, const std::string& address);

  const Options& options_;
  const journal::Journal& journal_;
  Gateway& gateway_;
  const Clock& clock_;
  Metrics& metrics_;
  std::atomic<int> asking_{0};
};

}  // namespace tidegate::dashboard
