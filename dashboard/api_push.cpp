#include <fmt/format.h>

#include <array>

#include "dashboard/guard.h"
#include "dashboard/gzip.h"
#include "dashboard/json.h"
#include "dashboard/replies.h"
#include "dashboard/request_frame.h"
#include "dashboard/snappy_body.h"
#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

std::string parameter(const Query& query, const char* name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

/// What the times in lines count.
Result<std::chrono::nanoseconds> precision_of(const Query& query) {
  using namespace std::chrono_literals;
  static const std::vector<std::pair<std::string_view, std::chrono::nanoseconds>> kUnits = {
      {"", 1ns}, {"ns", 1ns}, {"n", 1ns}, {"us", 1us}, {"u", 1us}, {"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}};
  const std::string asked = parameter(query, "precision");
  for (const auto& [name, unit] : kUnits) {
    if (name == asked) return unit;
  }
  return fail(Errc::invalid, "precision: '{}' is none of ns, us, ms, s, m, h", printable(asked, 64));
}

/// Nothing, or why `into` does not have the body as it was before it was compressed, with the status.
std::optional<std::pair<int, std::string>> unpack(const Call& call, std::string& into) {
  constexpr std::size_t kMost = RequestLimits{}.samples;
  const bool gzip = call.encoding == "gzip";
  if (!gzip && call.encoding != "snappy") return {{415, "send the body plain, or with 'Content-Encoding: gzip'"}};
  auto body = gzip ? unzipped(call.body, kMost) : unsnapped(call.body, kMost);
  if (!body) {
    return {{413, fmt::format("the body is no {}, or has more than {} bytes without it: send it in parts",
                              call.encoding, kMost)}};
  }
  into = std::move(*body);
  return {};
}

/// What one of its parts is called.
std::string_view part_of(Push::Format format) {
  switch (format) {
    case Push::Format::json:
      return "sample";
    case Push::Format::lines:
      return "line";
    case Push::Format::prometheus:
      return "series";
    default:
      return "document";
  }
}

Json refusals_json(const Pushed& pushed, Push::Format format) {
  const std::string at(part_of(format));
  Json told = Json::array();
  for (const auto& refusal : pushed.told) told.push_back({{at, refusal.at}, {"reason", refusal.reason}});
  return told;
}

/// In the words of both: ours, and those by which InfluxDB's clients find the sentence.
Reply refused(int status, const std::string& detail, bool influx, Json more = Json::object()) {
  Json body = {{"title", status_title(status)}, {"status", status}, {"detail", detail}};
  if (influx) {
    body["code"] = status == 413 ? "request too large" : status < 500 ? "invalid" : "unavailable";
    body["message"] = detail;
    body["error"] = detail;
  }
  body.update(more);
  Reply reply{status, "application/problem+json", text(body)};
  if (status == 503) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

Reply answer(const Pushed& pushed, Push::Format format, bool influx) {
  if (pushed.refused == 0) {
    if (influx) return {204, "", ""};
    return json_reply(text(Json{{"samples", pushed.samples}}));
  }
  const auto& first = pushed.told.front();
  const std::string_view what = part_of(format);
  const std::string_view many = format == Push::Format::prometheus ? "" : "s";
  return refused(400,
                 fmt::format("partial write: {} {}{}{} not taken, and {} sample{} taken; {} {}: {}", pushed.refused,
                             what, pushed.refused == 1 ? "" : many, pushed.refused == 1 ? " was" : " were",
                             pushed.samples, pushed.samples == 1 ? " was" : "s were", what, first.at, first.reason),
                 influx,
                 {{"samples", pushed.samples}, {"refused", pushed.refused}, {"first", refusals_json(pushed, format)}});
}

Reply take(Backend& backend, const Call& call, const std::string& source, Push::Format format, bool influx) {
  const std::string& own = call.caller.identity->scope.of;  // of a token that is held to pushing, or empty
  if (!own.empty() && !source.empty() && source != own) {
    return refused(403, fmt::format("this token pushes into source '{}' alone", printable(own, 64)), influx);
  }
  const auto unit = precision_of(call.query);
  if (!unit) return refused(400, unit.error().text, influx);
  std::string plain;
  const bool zipped = !call.encoding.empty() && call.encoding != "identity";
  if (zipped) {
    if (const auto wrong = unpack(call, plain)) return refused(wrong->first, wrong->second, influx);
  }
  const auto pushed = backend.gateway.push(own.empty() ? source : own,
                                           {zipped ? plain : call.body, format, *unit, call.caller.identity->name});
  if (pushed) return answer(*pushed, format, influx);
  return refused(pushed.error().code == Errc::full ? 413 : status_of(pushed.error().code), pushed.error().text, influx);
}

Reply samples(Backend& backend, const Call& call) {
  const bool json = json_content_type(call.content_type);
  return take(backend, call, parameter(call.query, "source"), json ? Push::Format::json : Push::Format::lines, false);
}

/// As InfluxDB 2 has it, and 1: a bucket or a database is a source here, where there are several.
Reply write(Backend& backend, const Call& call) {
  std::string source = parameter(call.query, "source");
  if (source.empty()) {
    const auto view = backend.gateway.view();
    for (const auto& one : view.sources) {
      const bool meant = one.name == parameter(call.query, "bucket") || one.name == parameter(call.query, "db");
      if (one.type == "push" && meant) source = one.name;
    }
  }
  return take(backend, call, source, Push::Format::lines, true);
}

/// As Prometheus has it, version 1: always by snappy.
Reply remote_write(Backend& backend, const Call& call) {
  const std::string_view type = trim(call.content_type);
  const bool second = type.find("io.prometheus.write.v2") != std::string_view::npos;
  if (!type.starts_with("application/x-protobuf") || second || call.encoding != "snappy") {
    return refused(415, "send Prometheus' remote write 1.0: application/x-protobuf by snappy", false);
  }
  return take(backend, call, parameter(call.query, "source"), Push::Format::prometheus, true);
}

/// Any JSON, as a webhook sends it.
Reply document(Backend& backend, const Call& call) {
  return take(backend, call, parameter(call.query, "source"), Push::Format::document, false);
}

}  // namespace

std::span<const Route> push_routes() {
  using enum Workers::Lane;
  static constexpr std::array<std::string_view, 2> kSamples = {"source", "precision"};
  static constexpr std::array<std::string_view, 5> kWrite2 = {"source", "precision", "bucket", "org", "orgID"};
  static constexpr std::array<std::string_view, 5> kWrite1 = {"source", "precision", "db", "rp", "consistency"};
  static constexpr std::array<std::string_view, 1> kSource = {"source"};
  constexpr auto push = access::Scope::Kind::push;
  static constexpr std::array<Route, 5> kRoutes = {
      {{"POST", "/api/v1/samples", samples, pushes, Needs::operator_, kSamples, true, push},
       {"POST", "/api/v2/write", write, pushes, Needs::operator_, kWrite2, true, push},
       {"POST", "/write", write, pushes, Needs::operator_, kWrite1, true, push},
       {"POST", "/api/v1/prometheus/write", remote_write, pushes, Needs::operator_, kSource, true, push},
       {"POST", "/api/v1/documents", document, pushes, Needs::operator_, kSource, true, push}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
