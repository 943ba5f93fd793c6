#include <fmt/format.h>

#include <array>

#include "dashboard/json.h"
#include "dashboard/replies.h"
#include "gateway/core/line_diff.h"

namespace tidegate::dashboard {
namespace {

constexpr std::size_t kMaxVersions = 1000;

Reply rules(Backend& backend, const Call&) {
  Json list = Json::array();
  for (const RuleView& rule : backend.gateway.view().rules) list.push_back(written_rule_json(rule));
  return json_reply(text(Json{{"rules", std::move(list)}}));
}

/// An HTTP header's value.
std::string quoted(const std::string& etag) { return fmt::format("\"{}\"", etag); }

Reply with_etag(Json json, const std::string& etag) {
  Reply reply = json_reply(text(json));
  reply.headers.emplace_back("ETag", quoted(etag));
  return reply;
}

Reply rules_text(Backend& backend, const Call& call) {
  const auto version = parse_ordinal(call.query, "version");
  if (!version) return failed(version.error());
  RuleDesk& desk = backend.gateway.rules();
  const auto found = *version ? desk.rules_text(**version) : desk.rules_text();
  if (!found) return failed(found.error());
  return with_etag({{"text", found->text}, {"etag", found->etag}}, found->etag);
}

Json problems_json(const std::vector<FileProblem>& problems) {
  Json list = Json::array();
  for (const FileProblem& one : problems) {
    list.push_back({{"file", one.file}, {"line", one.line}, {"column", one.column}, {"text", one.text}});
  }
  return list;
}

/// A problem's document with all that is wrong, once to be read and once to be marked in the text.
Reply wrong(const std::vector<FileProblem>& problems) {
  std::string detail;
  for (const FileProblem& one : problems) {
    const std::string place = one.line == 0 ? one.file : fmt::format("{}:{}:{}", one.file, one.line, one.column);
    detail += fmt::format("{}{}: {}", detail.empty() ? "" : "\n", place, one.text);
  }
  Reply reply = problem(400, detail);
  Json json = Json::parse(reply.body);
  json["problems"] = problems_json(problems);
  reply.body = text(json);
  return reply;
}

Reply validate(Backend& backend, const Call& call) {
  const auto body = parse_rule_body(call.body);
  if (!body) return failed(body.error());
  const RuleCheck check = backend.gateway.rules().check_rules(body->text);
  return json_reply(text(Json{{"problems", problems_json(check.problems)},
                              {"added", check.added},
                              {"removed", check.removed},
                              {"changed", check.changed},
                              {"alerts_ended", check.ended}}));
}

Reply came_of(const Result<RuleSaved>& saved) {
  if (!saved) return failed(saved.error());
  if (!saved->problems.empty()) return wrong(saved->problems);
  return with_etag({{"text", saved->text}, {"etag", saved->etag}}, saved->etag);
}

/// What replaces a text says which: another one may have come in its place since it was read.
Reply save_over(Backend& backend, const Call& call, RuleSave save) {
  if (call.if_match.empty()) {
    return problem(428, "say which text this replaces: If-Match with the ETag of /api/v1/rules/text as you read it");
  }
  auto expected = parse_if_match(call.if_match);
  if (!expected) return failed(expected.error());
  save.expected = std::move(*expected);
  save.who = call.caller.identity->name;
  const auto saved = backend.gateway.rules().save_rules(save);
  return !saved && saved.error().code == Errc::conflict ? problem(412, saved.error().text) : came_of(saved);
}

Reply save(Backend& backend, const Call& call) {
  auto body = parse_rule_body(call.body);
  if (!body) return failed(body.error());
  return save_over(backend, call, {std::move(body->text), {}, {}, std::move(body->note), "rules saved"});
}

Reply roll_back(Backend& backend, const Call& call) {
  auto body = parse_rollback_body(call.body);
  if (!body) return failed(body.error());
  auto old = backend.gateway.rules().rules_text(body->version);
  if (!old) return failed(old.error());
  return save_over(backend, call,
                   {std::move(old->text), {}, {}, std::move(body->note), fmt::format("rules of {}", body->version)});
}

Reply turn(Backend& backend, const Call& call, bool off) {
  auto body = parse_switch_body(call.body);
  if (!body) return failed(body.error());
  return came_of(backend.gateway.rules().switch_rule(
      {std::move(body->name), off, call.caller.identity->name, std::move(body->note)}));
}

Reply disable(Backend& backend, const Call& call) { return turn(backend, call, true); }
Reply enable(Backend& backend, const Call& call) { return turn(backend, call, false); }

Reply history(Backend& backend, const Call& call) {
  const auto page = parse_list_page(call.query, 100, kMaxVersions);
  if (!page) return failed(page.error());
  const auto versions = backend.gateway.rules().rule_versions();
  if (!versions) return failed(versions.error());
  Json list = Json::array();
  Json next;
  for (const RuleVersion& one : *versions) {
    if (page->before && one.id >= *page->before) continue;
    if (list.size() == page->limit) {
      next = cursor(list.back()["version"].get<std::int64_t>());
      break;
    }
    list.push_back(
        {{"version", one.id}, {"time", micros(one.since)}, {"who", one.who}, {"why", one.why}, {"note", one.note}});
  }
  return json_reply(text(Json{{"versions", std::move(list)}, {"next", next}}));
}

Json lines_json(const std::vector<DiffLine>& lines) {
  constexpr std::array<std::string_view, 3> kKinds = {"both", "removed", "added"};
  const auto number = [](int line) { return line == 0 ? Json(nullptr) : Json(line); };
  Json list = Json::array();
  for (const DiffLine& line : lines) {
    list.push_back({{"kind", kKinds.at(static_cast<std::size_t>(line.kind))},
                    {"from", number(line.before)},
                    {"to", number(line.after)},
                    {"text", line.text}});
  }
  return list;
}

/// From a version to another, or to the text that is there.
Reply diff(Backend& backend, const Call& call) {
  const auto from = parse_ordinal(call.query, "from"), to = parse_ordinal(call.query, "to");
  if (!from || !to) return failed((from ? to : from).error());
  if (!*from) return problem(400, "from: which version? /api/v1/rules/history lists them");
  RuleDesk& desk = backend.gateway.rules();
  const auto before = desk.rules_text(**from);
  if (!before) return failed(before.error());
  const auto after = *to ? desk.rules_text(**to) : desk.rules_text();
  if (!after) return failed(after.error());
  const auto lines = diff_lines(before->text, after->text);
  const std::string after_name = *to ? fmt::format("rules.yaml {}", **to) : "rules.yaml";
  return json_reply(text(Json{{"from", **from},
                              {"to", *to ? Json(**to) : Json(nullptr)},
                              {"text", unified(lines, fmt::format("rules.yaml {}", **from), after_name)},
                              {"lines", lines_json(lines)}}));
}

}  // namespace

std::span<const Route> rule_routes() {
  using enum Workers::Lane;
  static constexpr std::array<std::string_view, 1> kVersion = {"version"};
  static constexpr std::array<std::string_view, 2> kDiff = {"from", "to"};
  static constexpr std::array<Route, 9> kRoutes = {
      {{"GET", "/api/v1/rules", rules, quick, Needs::viewer},
       {"GET", "/api/v1/rules/text", rules_text, slow, Needs::viewer, kVersion},
       {"POST", "/api/v1/rules/text", save, slow, Needs::admin},
       {"POST", "/api/v1/rules/validate", validate, slow, Needs::operator_},
       {"POST", "/api/v1/rules/disable", disable, slow, Needs::admin},
       {"POST", "/api/v1/rules/enable", enable, slow, Needs::admin},
       {"GET", "/api/v1/rules/history", history, slow, Needs::viewer, kPageParameters},
       {"GET", "/api/v1/rules/diff", diff, slow, Needs::viewer, kDiff},
       {"POST", "/api/v1/rules/rollback", roll_back, slow, Needs::admin}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
