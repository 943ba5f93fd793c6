#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/core/event.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/live.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"

namespace tidegate::tools {
namespace {

Severity severity_of(const Json& alert) { return severity_from(word(alert, "severity")).value_or(Severity::critical); }

/// Why nobody is called for it, or empty.
std::string silence(const Json& alert) {
  if (alert.at("out_of_service").get<bool>()) return "out of service: " + word(alert, "shelved_why");
  if (const Json& until = alert.at("shelved_until"); !until.is_null()) {
    return fmt::format("shelved until {}: {}", rfc3339_seconds(time_of(until)), word(alert, "shelved_why"));
  }
  if (const std::string by = word(alert, "suppressed_by"); !by.empty()) return "explained by " + by;
  return alert.at("shadow").get<bool>() ? "its rule is on trial" : "";
}

std::string acknowledgement(const Json& alert) {
  if (!alert.at("acknowledged").get<bool>()) return "no";
  const std::string by = word(alert, "acknowledged_by");
  return by.empty() ? "not owed" : "by " + by;
}

bool asked_for(const Json& alert, const AlertsOptions& options, Severity least) {
  return (options.rule.empty() || word(alert, "rule") == options.rule) && severity_of(alert) >= least &&
         (!options.unacknowledged || !alert.at("acknowledged").get<bool>());
}

/// The most severe first, of those the newest.
bool is_before(const Json& a, const Json& b) {
  if (severity_of(a) != severity_of(b)) return severity_of(a) > severity_of(b);
  return a.at("since").get<std::int64_t>() > b.at("since").get<std::int64_t>();
}

Status put(const Json& alert, Rows& rows) {
  const std::string id = word(alert, "id"), severity = word(alert, "severity"), phase = word(alert, "phase"),
                    since = rfc3339_seconds(time_of(alert.at("since"))), acknowledged = acknowledgement(alert),
                    silenced = silence(alert), message = word(alert, "message");
  const std::array<Value, 7> cells = {
      std::string_view(id),           std::string_view(severity), std::string_view(phase),  std::string_view(since),
      std::string_view(acknowledged), std::string_view(silenced), std::string_view(message)};
  return rows.row(cells);
}

Status put_table(const std::vector<Json>& alerts, Output& output) {
  static constexpr std::array<std::string_view, 7> kColumns = {"alert",        "severity", "phase",  "since",
                                                               "acknowledged", "silenced", "message"};
  const auto rows = Rows::make(Format::table, output);
  if (Status status = rows->columns(kColumns); !status) return status;
  for (const Json& alert : alerts) {
    if (Status status = put(alert, *rows); !status) return status;
  }
  return rows->end();
}

std::string in_words(const Json& alert) {
  std::string text = fmt::format("{} is {}", word(alert, "id"), word(alert, "phase"));
  if (const std::string by = word(alert, "acknowledged_by"); !by.empty()) text += ", acknowledged by " + by;
  if (const std::string why = silence(alert); !why.empty()) text += ", " + why;
  if (const std::string by = word(alert, "commented_by"); !by.empty()) {
    text += fmt::format(", {} said: {}", by, word(alert, "comment"));
  }
  return printable(text, 1000);
}

Result<int> wish(const char* target, Json body, const WishOptions& options, const GatewayClient& gateway) {
  body["id"] = options.alert;
  const auto answer = gateway.as(options.who).post(target, body);
  if (!answer) return fail(answer.error());
  Status done = print((options.json ? text_of(*answer) : in_words(answer->at("alert"))) + '\n');
  if (!done) return fail(std::move(done.error()));
  return kDone;
}

}  // namespace

Result<int> list_alerts(const AlertsOptions& options, const GatewayClient& gateway) {
  const auto least = severity_from(options.severity.empty() ? name(Severity::info) : options.severity);
  if (!least) return fail(Errc::invalid, "--severity {}: is none of info, warning, high, critical", options.severity);
  auto answer = gateway.get("/api/v1/alerts");
  if (!answer) return fail(std::move(answer.error()));
  std::vector<Json> chosen;
  for (Json& alert : answer->at("alerts")) {
    if (asked_for(alert, options, *least)) chosen.push_back(std::move(alert));
  }
  std::stable_sort(chosen.begin(), chosen.end(), is_before);
  Output output;
  return finish(options.json ? output.write(text_of(Json{{"alerts", chosen}}) + "\n") : put_table(chosen, output),
                output);
}

Result<int> acknowledge(const WishOptions& options, const GatewayClient& gateway) {
  Json body;
  if (!options.note.empty()) body["note"] = options.note;
  return wish("/api/v1/alerts/ack", std::move(body), options, gateway);
}

Result<int> shelve(const WishOptions& options, const GatewayClient& gateway) {
  if (options.lasts.empty() != options.out_of_service) {
    return fail(Errc::invalid, "say for how long: either --for DURATION, such as 2h, or --out-of-service");
  }
  Json body = {{"why", options.why}};
  if (options.out_of_service) {
    body["out_of_service"] = true;
  } else {
    body["for"] = options.lasts;
  }
  return wish("/api/v1/alerts/shelve", std::move(body), options, gateway);
}

Result<int> unshelve(const WishOptions& options, const GatewayClient& gateway) {
  return wish("/api/v1/alerts/unshelve", Json::object(), options, gateway);
}

Result<int> comment(const WishOptions& options, const GatewayClient& gateway) {
  return wish("/api/v1/alerts/comment", {{"text", options.note}}, options, gateway);
}

}  // namespace tidegate::tools
