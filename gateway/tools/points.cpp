#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include "gateway/core/text.h"
#include "gateway/tools/live.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"

namespace tidegate::tools {
namespace {

Result<int> told(const std::string& line) {
  const Status printed = print(line + '\n');
  return printed ? Result<int>(kDone) : fail(printed.error());
}

/// What it may be set to, in words.
std::string takes(const Json& point) {
  if (point.contains("states"))
    return fmt::format("{}", fmt::join(point["states"].get<std::vector<std::string>>(), ", "));
  if (!point.contains("min")) return "on, off";
  const std::string unit = word(point, "unit");
  return fmt::format("{} to {}{}{}", number_text(point.at("min").get<double>()),
                     number_text(point.at("max").get<double>()), unit.empty() ? "" : " ", unit);
}

/// What a series shows now, in words.
std::string shows(const Json& series) {
  const Json& last = series.at("last");
  if (last.is_null()) return "nothing yet";
  if (last.at(1).is_null()) return last.at(2).get<std::string>();
  const auto value = last.at(1).get<double>();
  if (std::string state = state_text(series, value); !state.empty()) return state;
  const std::string unit = word(series, "unit");
  return short_number(value) + (unit.empty() ? "" : ' ' + unit);
}

Result<std::string> shown_now(const std::string& name, const GatewayClient& gateway) {
  const auto all = gateway.get("/api/v1/series");
  if (!all) return fail(all.error());
  for (const Json& series : all->at("series")) {
    if (word(series, "name") == name) return shows(series);
  }
  return "nothing yet";
}

/// Somebody at the terminal means it.
Result<bool> meant(const WriteOptions& options, const GatewayClient& gateway) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0) {
    return fail(Errc::invalid, "nobody is there to be asked whether this is meant; say --yes");
  }
  const auto now = shown_now(options.series, gateway);
  if (!now) return fail(now.error());
  fmt::print(stderr, "{} shows {}. Set it to {}? [y/N] ", printable(options.series), printable(*now),
             printable(options.value));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace

Result<int> list_points(const PointsOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.get("/api/v1/points");
  if (!answer) return fail(answer.error());
  if (options.json) return told(text_of(*answer));
  static constexpr std::array<std::string_view, 4> kColumns = {"series", "source", "takes", "interlock"};
  Output output;
  const auto rows = Rows::make(Format::table, output);
  Status written = rows->columns(kColumns);
  for (const Json& point : answer->at("points")) {
    const std::array<std::string, 4> texts = {word(point, "series"), word(point, "source"), takes(point),
                                              word(point, "interlock")};
    std::array<Value, 4> cells;
    std::transform(texts.begin(), texts.end(), cells.begin(), [](const std::string& t) { return std::string_view(t); });
    if (written) written = rows->row(cells);
  }
  if (written) written = rows->end();
  return finish(written, output);
}

Result<int> write_point(const WriteOptions& options, const GatewayClient& gateway) {
  const auto sure = meant(options, gateway);
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Errc::conflict, "nothing was set");
  const auto answer =
      gateway.as(options.who)
          .post("/api/v1/points/write", {{"series", options.series}, {"value", options.value}, {"why", options.why}});
  if (!answer && answer.error().code == Errc::timed_out) {
    return fail(Errc::timed_out, "{}; whether it was set stands in the audit", answer.error().text);
  }
  if (!answer) return fail(answer.error());
  return told(options.json ? text_of(*answer) : word(*answer, "text"));
}

}  // namespace tidegate::tools
