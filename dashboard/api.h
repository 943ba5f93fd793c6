#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dashboard/backups.h"
#include "dashboard/gate.h"
#include "dashboard/query.h"
#include "dashboard/server.h"
#include "dashboard/workers.h"

/// The answers of docs/api.md, the stream apart: each a function of what is asked and of what the server stands on.
namespace tidegate::dashboard {

struct Call {
  Query query;
  std::string body;
  Caller caller;
  std::string if_match{};                  ///< the header of that name
  std::string accept{};                    ///< likewise
  std::string content_type{}, encoding{};  ///< of a body of samples
};
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::unique_ptr<Backups::Turn> backup{};  ///< its connection is for a backup, and all else is not sent
};

/// HTTP's own words for a status that we refuse with.
std::string_view status_title(int status);
/// `application/problem+json`; `detail` says what, where and what to do next.
Reply problem(int status, std::string_view detail);

/// What the server stands on, which outlives every answer.
struct Backend {
  const Options& options;
  const journal::Journal& journal;
  Gateway& gateway;
  const Clock& clock;
  Metrics& metrics;
  access::Access* access;  ///< null: nobody can log in
  const Gate& gate;
  Backups& backups;
  std::atomic<int> asking{0};  ///< answers that wait for the pump
};

struct Route {
  std::string_view method, path;
  Reply (*call)(Backend& backend, const Call& call);  ///< any thread
  Workers::Lane lane;  ///< slow for what reads the disk, computes for long or waits for a commit
  Needs needs;
  std::span<const std::string_view> parameters{};  ///< of its query; any other is refused
  bool takes_samples = false;  ///< its body may be large, in chunks and compressed, and is of any type
  /// The tokens that may ask beside those that are held to nothing: it sees to it that they get no more.
  access::Scope::Kind scope = access::Scope::Kind::all;
};
/// The one list of routes.
std::span<const Route> routes();
/// Of a request's path; slow for one that is escaped, which may be any.
Workers::Lane lane_of(std::string_view path);
bool takes_samples(std::string_view path);

}  // namespace tidegate::dashboard
