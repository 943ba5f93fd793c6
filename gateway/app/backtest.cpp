#include "gateway/app/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/app/play.h"
#include "gateway/app/settings.h"
#include "gateway/app/sweep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"
#include "rules/derived.h"

namespace tidegate::app {
namespace {

using tools::Value;

/// What came of a variant: of one alert, or of all of them.
struct Tally {
  std::uint64_t alerts = 0, raised = 0, suppressed = 0;
  Micros active{0}, longest{0};
  Timestamp last{};  ///< raised
  bool is_over = true;

  void add(const rules::Replay& replay) {
    if (replay.firings().empty()) return;
    ++alerts;
    raised += replay.firings().size();
    for (const rules::Firing& firing : replay.firings()) {
      suppressed += firing.suppressed_by.empty() ? 0 : 1;
      active += firing.ended - firing.raised;
      longest = std::max(longest, firing.ended - firing.raised);
      last = std::max(last, firing.raised);
    }
    is_over = is_over && replay.firings().back().is_over;
  }
};

struct Written {
  config::Node rules, derived;
};

/// The rules and derived series of the configuration, or of one file alone.
Written all_rules(const Backtest& options, const tools::Surroundings& surroundings, config::Problems& problems) {
  if (options.file.empty()) {
    Settings settings = load_to_look(surroundings.configuration, problems, surroundings.store);
    return {std::move(settings.rules), std::move(settings.derived)};
  }
  const config::References references = config::References::system();
  const std::filesystem::path file = options.file;
  const auto text = references.read_file(file);
  if (!text) {
    problems.add({std::make_shared<std::string>(file.string())}, text.error().text);
    return {};
  }
  config::Node root = config::parse(*text, file.string(), file.parent_path(), references, problems);
  config::check(root, root_shape(), problems, file.parent_path());
  return {root["rules"], root["derived"]};
}

/// Those that are enabled, or those that are named.
Result<std::vector<config::Node>> choose(const config::Node& all, const Backtest& options) {
  std::vector<config::Node> chosen;
  std::vector<std::string> names;
  for (const config::Node& rule : all.items) {
    names.push_back(rule["name"].shown());
    const bool is_named = std::find(options.rules.begin(), options.rules.end(), names.back()) != options.rules.end();
    if (options.rules.empty() ? !rule.boolean("enabled") : !is_named) continue;
    chosen.push_back(rule);
    chosen.back().find("enabled")->text = "true";
  }
  for (const std::string& name : options.rules) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return fail(Errc::invalid, "there is no rule '{}'{}", printable(name), did_you_mean(name, names));
  }
  if (chosen.empty()) return fail(Errc::not_found, "there are no rules to try");
  return chosen;
}

class Answer {
 public:
  Answer(const Backtest& options, tools::Rows& rows) : options_(options), rows_(rows) {}

  Status begin() {
    constexpr std::array<std::string_view, 6> kList = {"alert", "raised", "for", "suppressed by", "value", "message"};
    constexpr std::array<std::string_view, 6> kAlerts = {"alert",  "raised",  "suppressed",
                                                         "active", "longest", "last raised"};
    constexpr std::array<std::string_view, 7> kSweep = {"rule",       "value",  "alerts", "raised",
                                                        "suppressed", "active", "longest"};
    if (options_.list) return rows_.columns(kList);
    return options_.sweep.empty() ? rows_.columns(kAlerts) : rows_.columns(kSweep);
  }

  Status put(const rules::Replay& replay) {
    if (options_.list) {
      for (const rules::Firing& firing : replay.firings()) {
        if (Status status = put(replay.alert(), firing); !status) return status;
      }
      return {};
    }
    Tally tally;
    tally.add(replay);
    if (!options_.sweep.empty() || tally.raised == 0) return {};
    const std::string last = rfc3339_seconds(tally.last);
    std::string longest, active;
    const std::array<Value, 6> cells = {std::string_view(replay.alert()),
                                        static_cast<std::int64_t>(tally.raised),
                                        static_cast<std::int64_t>(tally.suppressed),
                                        time(tally.active, true, active),
                                        time(tally.longest, tally.is_over, longest),
                                        std::string_view(last)};
    return rows_.row(cells);
  }

  Status put(const Variant& variant, const Tally& tally) {
    std::string longest, active;
    const std::array<Value, 7> cells = {
        std::string_view(variant.rule().name),       std::string_view(variant.value),
        static_cast<std::int64_t>(tally.alerts),     static_cast<std::int64_t>(tally.raised),
        static_cast<std::int64_t>(tally.suppressed), time(tally.active, true, active),
        time(tally.longest, true, longest)};
    return rows_.row(cells);
  }

 private:
  Status put(const std::string& alert, const rules::Firing& firing) {
    const std::string raised = rfc3339_seconds(firing.raised);
    std::string lasted;
    const std::array<Value, 6> cells = {std::string_view(alert),
                                        std::string_view(raised),
                                        time(firing.ended - firing.raised, firing.is_over, lasted),
                                        std::string_view(firing.suppressed_by),
                                        firing.value,
                                        std::string_view(firing.message)};
    return rows_.row(cells);
  }
  /// For people in words, for programs in seconds.
  Value time(Micros span, bool is_over, std::string& text) const {
    if (options_.format != tools::Format::table) return std::chrono::duration<double>(span).count();
    text = duration_text(std::chrono::floor<std::chrono::seconds>(span)) + (is_over ? "" : " and on");
    return std::string_view(text);
  }

  const Backtest& options_;
  tools::Rows& rows_;
};

}  // namespace

Result<int> backtest(const Backtest& options, const tools::Surroundings& surroundings) {
  if (options.list && !options.sweep.empty()) return fail(Errc::invalid, "--list and --sweep do not go together");
  const auto range = tools::parse_range(options.from, options.to, surroundings.now, {Timestamp{}, surroundings.now});
  if (!range) return fail(range.error());
  config::Problems problems;
  const auto [all, made] = all_rules(options, surroundings, problems);
  std::vector<rules::Rule> derived = rules::parse_derived(made, problems);
  if (!problems.empty()) {
    fmt::print(stderr, "{}", problems.text());
    return tools::kConfigurationWrong;
  }
  const auto rules = choose(all, options);
  if (!rules) return fail(rules.error());
  std::vector<std::string> left_out;
  const auto tried = variants(*rules, all, options.sweep, left_out);
  if (!tried) return fail(tried.error());
  for (const std::string& one : left_out) fmt::print(stderr, "left out: {}\n", one);
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  tools::Output output;
  const auto rows = tools::Rows::make(options.format, output);
  Answer answer(options, *rows);
  std::vector<Tally> tallies(tried->size());
  Play play(**view, std::move(derived), *range, surroundings.stop,
            [&](std::size_t variant, const rules::Replay& replay) {
              tallies[variant].add(replay);
              return answer.put(replay);
            });
  Status status = answer.begin();
  if (status) status = play.run(*tried);
  for (std::size_t i = 0; status && !options.sweep.empty() && i < tried->size(); ++i)
    status = answer.put((*tried)[i], tallies[i]);
  if (status) status = rows->end();
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  fmt::print(stderr, "{} of {} series, {} to {}\n", tools::counted(play.samples(), "sample", "samples"), play.series(),
             rfc3339_seconds(range->from), rfc3339_seconds(play.end()));
  return tools::verdict((*view)->reading());
}

}  // namespace tidegate::app
