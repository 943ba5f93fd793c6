#include "gateway/tools/rule_desk.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "gateway/core/time_text.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::tools {
namespace {

Result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file) return fail(Errc::invalid, "{} cannot be read: {}", path.string(), std::strerror(errno));
  text << file.rdbuf();
  return text.str();
}

/// For people what was said in `text`.
Result<int> tell(const Result<Json>& answer, const RuleDeskOptions& options) {
  if (!answer) return fail(answer.error());
  Output output;
  return finish(output.write((options.json ? text_of(*answer) : word(*answer, "text")) + "\n"), output);
}

/// What is there now may be replaced by who says so; who says what he has read does not replace another's.
Result<std::string> etag_to_replace(const RuleDeskOptions& options, const GatewayClient& gateway) {
  if (!options.replaces.empty()) return options.replaces;
  const auto now = gateway.get("/api/v1/rules/text");
  return now ? Result<std::string>(word(*now, "etag")) : fail(now.error());
}

Result<int> replace(const char* target, const Json& body, const RuleDeskOptions& options,
                    const GatewayClient& gateway) {
  const auto etag = etag_to_replace(options, gateway);
  if (!etag) return fail(etag.error());
  return tell(gateway.as(options.who).post(target, body, fmt::format("\"{}\"", *etag)), options);
}

Result<int> turn(const char* target, const RuleDeskOptions& options, const GatewayClient& gateway) {
  return tell(gateway.as(options.who).post(target, {{"name", options.name}, {"note", options.note}}), options);
}

std::string in_words(const Json& problem) {
  const int line = problem.at("line").get<int>();
  const std::string place = line == 0 ? std::string() : fmt::format(":{}:{}", line, problem.at("column").get<int>());
  return fmt::format("{}{}: {}\n", word(problem, "file"), place, word(problem, "text"));
}

std::string changes_in_words(const Json& check) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kWords = {{{"added", "new rule"},
                                                                          {"removed", "rule removed"},
                                                                          {"changed", "rule changed"},
                                                                          {"alerts_ended", "alert ended"}}};
  std::string out;
  for (const auto& [key, words] : kWords) {
    for (const Json& name : check.at(key)) out += fmt::format("{}: {}\n", words, name.get<std::string>());
  }
  return out.empty() ? "good; no rule would change\n" : "good; it would change:\n" + out;
}

Status print_versions(const Json& answer, Output& output) {
  constexpr std::array<std::string_view, 5> kColumns = {"version", "since", "who", "why", "note"};
  const auto rows = Rows::make(Format::table, output);
  Status done = rows->columns(kColumns);
  for (const Json& one : answer.at("versions")) {
    if (!done) return done;
    const std::string since = rfc3339_seconds(time_of(one.at("time"))), who = word(one, "who"), why = word(one, "why"),
                      note = word(one, "note");
    const std::array<Value, 5> cells = {one.at("version").get<std::int64_t>(), std::string_view(since),
                                        std::string_view(who), std::string_view(why), std::string_view(note)};
    done = rows->row(cells);
  }
  return done ? rows->end() : done;
}

}  // namespace

Result<int> print_rules(const RuleDeskOptions& options, const GatewayClient& gateway) {
  const std::string which = options.version == 0 ? "" : fmt::format("?version={}", options.version);
  const auto answer = gateway.get("/api/v1/rules/text" + which);
  if (!answer) return fail(answer.error());
  Output output;
  return finish(output.write(options.json ? text_of(*answer) + "\n" : word(*answer, "text")), output);
}

Result<int> check_rules(const RuleDeskOptions& options, const GatewayClient& gateway) {
  const auto text = read_text(options.file);
  if (!text) return fail(text.error());
  const auto answer = gateway.post("/api/v1/rules/validate", {{"text", *text}});
  if (!answer) return fail(answer.error());
  const Json& problems = answer->at("problems");
  std::string out;
  for (const Json& problem : problems) out += in_words(problem);
  if (problems.empty()) out = changes_in_words(*answer);
  Output output;
  const auto done = finish(output.write(options.json ? text_of(*answer) + "\n" : out), output);
  return done && !problems.empty() ? kConfigurationWrong : done;
}

Result<int> save_rules(const RuleDeskOptions& options, const GatewayClient& gateway) {
  const auto text = read_text(options.file);
  if (!text) return fail(text.error());
  return replace("/api/v1/rules/text", {{"text", *text}, {"note", options.note}}, options, gateway);
}

Result<int> list_versions(const RuleDeskOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.get("/api/v1/rules/history?limit=1000");
  if (!answer) return fail(answer.error());
  Output output;
  return finish(options.json ? output.write(text_of(*answer) + "\n") : print_versions(*answer, output), output);
}

Result<int> print_difference(const RuleDeskOptions& options, const GatewayClient& gateway) {
  const std::string to = options.to == 0 ? "" : fmt::format("&to={}", options.to);
  const auto answer = gateway.get(fmt::format("/api/v1/rules/diff?from={}{}", options.version, to));
  if (!answer) return fail(answer.error());
  Output output;
  return finish(output.write(options.json ? text_of(*answer) + "\n" : word(*answer, "text")), output);
}

Result<int> roll_back(const RuleDeskOptions& options, const GatewayClient& gateway) {
  return replace("/api/v1/rules/rollback", {{"version", options.version}, {"note", options.note}}, options, gateway);
}

Result<int> turn_off(const RuleDeskOptions& options, const GatewayClient& gateway) {
  return turn("/api/v1/rules/disable", options, gateway);
}

Result<int> turn_on(const RuleDeskOptions& options, const GatewayClient& gateway) {
  return turn("/api/v1/rules/enable", options, gateway);
}

}  // namespace tidegate::tools
