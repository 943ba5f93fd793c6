#include <array>

#include "dashboard/json.h"
#include "dashboard/replies.h"

namespace tidegate::dashboard {
namespace {

Json point_json(const PointDesk::Point& writable) {
  const WritablePoint& point = writable.point;
  Json json = {{"series", point.series},
               {"source", writable.source},
               {"kind", name(point.kind)},
               {"unit", point.unit},
               {"interlock", point.interlock}};
  if (point.kind == SeriesKind::state) {
    json["states"] = point.states;
  } else if (point.kind != SeriesKind::boolean) {
    json["min"] = point.min;
    json["max"] = point.max;
  }
  return json;
}

Reply list_points(Backend& backend, const Call&) {
  Json list = Json::array();
  for (const auto& point : backend.gateway.points().writable()) list.push_back(point_json(point));
  return json_reply(text(Json{{"points", std::move(list)}}));
}

Reply write(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 3> kFields = {"series", "value", "why"};
  const auto body = parse_texts(call.body, kFields);
  if (!body) return failed(body.error());
  const auto field = [&](std::string_view name) {
    const auto found = body->find(name);
    return found == body->end() ? std::string() : found->second;
  };
  if (field("series").empty() || field("value").empty()) {
    return problem(400, R"(say {"series": "boiler1/setpoint", "value": "21.5", "why": "..."}: the value as a text)");
  }
  const auto done =
      backend.gateway.points().write({field("series"), field("value"), field("why"), call.caller.identity->name});
  return done ? json_reply(text(Json{{"text", *done}})) : failed(done.error());
}

}  // namespace

std::span<const Route> point_routes() {
  using enum Workers::Lane;
  static constexpr std::array<Route, 2> kRoutes = {{{"GET", "/api/v1/points", list_points, quick, Needs::viewer},
                                                    {"POST", "/api/v1/points/write", write, points, Needs::operator_}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
