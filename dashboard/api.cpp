#include "dashboard/api.h"

#include <algorithm>
#include <array>

#include "dashboard/json.h"
#include "dashboard/replies.h"

namespace tidegate::dashboard {

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid:
      return 400;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::unavailable:
    case Errc::interrupted:
    case Errc::timed_out:
    case Errc::full:
    case Errc::stopped:
      return 503;
    case Errc::io:
    case Errc::corrupt:
      return 500;
  }
  return 500;
}

std::string_view status_title(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 19> kTitles = {{{400, "Bad Request"},
                                                                         {401, "Unauthorized"},
                                                                         {403, "Forbidden"},
                                                                         {404, "Not Found"},
                                                                         {405, "Method Not Allowed"},
                                                                         {408, "Request Timeout"},
                                                                         {409, "Conflict"},
                                                                         {411, "Length Required"},
                                                                         {412, "Precondition Failed"},
                                                                         {413, "Content Too Large"},
                                                                         {414, "URI Too Long"},
                                                                         {415, "Unsupported Media Type"},
                                                                         {417, "Expectation Failed"},
                                                                         {421, "Misdirected Request"},
                                                                         {428, "Precondition Required"},
                                                                         {429, "Too Many Requests"},
                                                                         {431, "Request Header Fields Too Large"},
                                                                         {500, "Internal Server Error"},
                                                                         {503, "Service Unavailable"}}};
  const auto found =
      std::find_if(kTitles.begin(), kTitles.end(), [&](const auto& known) { return known.first == status; });
  return found != kTitles.end() ? found->second : "Error";
}

Reply problem(int status, std::string_view detail) {
  return {status, "application/problem+json",
          text(Json{{"title", status_title(status)}, {"status", status}, {"detail", detail}})};
}

Reply failed(const Error& error) { return problem(status_of(error.code), error.text); }
Reply json_reply(std::string body) { return {200, "application/json", std::move(body)}; }

std::string cursor(std::int64_t id) { return std::to_string(id); }
std::string cursor(const journal::StoredEvent& event) {
  return std::to_string(number(event.seq)) + '.' + std::to_string(event.ordinal);
}

std::span<const Route> routes() {
  static const std::vector<Route> kRoutes = [] {
    std::vector<Route> all;
    for (const auto part :
         {reading_routes(), alert_routes(), push_routes(), point_routes(), rule_routes(), access_routes()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kRoutes;
}

Workers::Lane lane_of(std::string_view path) {
  // Written in escapes it may be any of them, and no client of ours writes it so.
  if (path.find('%') != path.npos) return Workers::Lane::log_ins;
  const auto all = routes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Route& route) { return route.path == path; });
  return found != all.end() ? found->lane : Workers::Lane::quick;
}

bool takes_samples(std::string_view path) {
  const auto all = routes();
  return std::any_of(all.begin(), all.end(),
                     [&](const Route& route) { return route.takes_samples && route.path == path; });
}

}  // namespace tidegate::dashboard
