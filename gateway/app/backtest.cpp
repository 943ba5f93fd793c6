#include "gateway/app/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/app/settings.h"
#include "gateway/app/sweep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/scan.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"
#include "rules/replay.h"

namespace tidegate::app {
namespace {

using tools::Value;

/// What came of a variant: of one alert, or of all of them.
struct Tally {
  std::uint64_t alerts = 0, raised = 0;
  Micros active{0}, longest{0};
  Timestamp last{};  ///< raised
  bool is_over = true;

  void add(const rules::Replay& replay) {
    if (replay.firings().empty()) return;
    ++alerts;
    raised += replay.firings().size();
    for (const rules::Firing& firing : replay.firings()) {
      active += firing.ended - firing.raised;
      longest = std::max(longest, firing.ended - firing.raised);
      last = std::max(last, firing.raised);
    }
    is_over = is_over && replay.firings().back().is_over;
  }
};

/// The rules of the configuration, or of one file alone.
config::Node all_rules(const Backtest& options, const std::filesystem::path& configuration,
                       config::Problems& problems) {
  if (options.file.empty()) return load_settings(configuration, problems).rules;
  const config::References references = config::References::system();
  const std::filesystem::path file = options.file;
  const auto text = references.read_file(file);
  if (!text) {
    problems.add({std::make_shared<std::string>(file.string())}, text.error().text);
    return {};
  }
  config::Node root = config::parse(*text, file.string(), file.parent_path(), references, problems);
  config::check(root, root_shape(), problems, file.parent_path());
  return root["rules"];
}

/// Those that are enabled, or those that are named.
Result<std::vector<config::Node>> choose(const config::Node& all, const Backtest& options) {
  std::vector<config::Node> chosen;
  std::vector<std::string> names;
  for (const config::Node& rule : all.items) {
    names.push_back(rule["name"].shown());
    const bool is_named = std::find(options.rules.begin(), options.rules.end(), names.back()) != options.rules.end();
    if (options.rules.empty() ? !rule.boolean("enabled") : !is_named) continue;
    if (rule.has("when") || rule.has("count") || rule.has("sequence")) {  // a replay goes over one series at a time
      constexpr std::string_view kWhy = "may read several series, which is not replayed; `tidegate test` tries it";
      if (is_named) return fail(Errc::invalid, "rule '{}' {}", printable(names.back()), kWhy);
      fmt::print(stderr, "rule '{}' is left out: it {}\n", printable(names.back()), kWhy);
      continue;
    }
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

/// When the gateway was off, as far as the log's events still tell.
Result<std::vector<rules::Interval>> times_off(journal::StoreView& view) {
  std::vector<rules::Interval> off;
  journal::EventQuery query;
  while (true) {
    const auto events = journal::read_events(view.log(), query);
    if (!events) return fail(events.error());
    for (const journal::StoredEvent& stored : *events) {
      if (const auto* gap = std::get_if<Unwatched>(&stored.event.body)) off.push_back({gap->since, stored.event.time});
    }
    if (events->size() < query.limit) return off;
    const Seq again = prev(events->back().seq);  // what more its last batch has
    if (query.after == again) query.limit *= 2;  // it has more than that
    query.after = again;
  }
}

/// Until when the gateway is known to have watched: what it would have made of the time after its last commit, nobody
/// knows.
Result<Timestamp> last_watched(journal::StoreView& view) {
  const auto committed = view.log().number("SELECT max(committed) FROM batch");
  if (!committed) return fail(committed.error());
  return Timestamp{Micros{*committed}};
}

class Answer {
 public:
  Answer(const Backtest& options, tools::Rows& rows) : options_(options), rows_(rows) {}

  Status begin() {
    constexpr std::array<std::string_view, 5> kList = {"alert", "raised", "for", "value", "message"};
    constexpr std::array<std::string_view, 5> kAlerts = {"alert", "raised", "active", "longest", "last raised"};
    constexpr std::array<std::string_view, 6> kSweep = {"rule", "value", "alerts", "raised", "active", "longest"};
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
    const std::string last = rfc3339(std::chrono::floor<std::chrono::seconds>(tally.last));
    std::string longest, active;
    const std::array<Value, 5> cells = {std::string_view(replay.alert()), static_cast<std::int64_t>(tally.raised),
                                        time(tally.active, true, active), time(tally.longest, tally.is_over, longest),
                                        std::string_view(last)};
    return rows_.row(cells);
  }

  Status put(const Variant& variant, const Tally& tally) {
    std::string longest, active;
    const std::array<Value, 6> cells = {
        std::string_view(variant.rule.name),     std::string_view(variant.value),
        static_cast<std::int64_t>(tally.alerts), static_cast<std::int64_t>(tally.raised),
        time(tally.active, true, active),        time(tally.longest, true, longest)};
    return rows_.row(cells);
  }

 private:
  Status put(const std::string& alert, const rules::Firing& firing) {
    const std::string raised = rfc3339(std::chrono::floor<std::chrono::seconds>(firing.raised));
    std::string lasted;
    const std::array<Value, 5> cells = {std::string_view(alert), std::string_view(raised),
                                        time(firing.ended - firing.raised, firing.is_over, lasted), firing.value,
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

class Play {
 public:
  Play(journal::StoreView& view, tools::Range range, const tools::Surroundings& surroundings, Answer& answer)
      : view_(view), range_(range), stop_(surroundings.stop), answer_(answer) {}

  Status prepare() {
    auto off = times_off(view_);
    if (!off) return fail(std::move(off.error()));
    off_ = std::move(*off);
    const auto last = last_watched(view_);
    if (!last) return fail(last.error());
    end_ = std::min(range_.to, *last);
    return {};
  }

  /// All variants at once over each series that one of them watches: it is read once.
  Status run(const std::vector<Variant>& variants) {
    tallies_.resize(variants.size());
    fed_.resize(variants.size());
    for (std::size_t place = 0; place < view_.series().size(); ++place) {
      std::vector<std::size_t> watching;
      for (std::size_t i = 0; i < variants.size(); ++i) {
        if (variants[i].rule.series.matches(view_.series()[place].name)) watching.push_back(i);
      }
      if (watching.empty()) continue;
      if (Status status = play(place, variants, watching); !status) return status;
    }
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const bool is_next_of_one = i > 0 && variants[i].rule.name == variants[i - 1].rule.name;
      if (fed_[i] || is_next_of_one) continue;
      progress_.clear();
      fmt::print(stderr, "{}: nothing is stored of {} in this time\n", variants[i].rule.name,
                 variants[i].rule.series.text());
    }
    return {};
  }

  Timestamp end() const { return end_; }
  const std::vector<Tally>& tallies() const { return tallies_; }
  std::uint64_t samples() const { return samples_; }
  std::uint64_t series() const { return series_; }

 private:
  Status play(std::size_t place, const std::vector<Variant>& variants, const std::vector<std::size_t>& watching) {
    const journal::Catalogue::Entry& series = view_.series()[place];
    std::vector<rules::Replay> replays;
    for (const std::size_t i : watching)
      replays.emplace_back(variants[i].rule, series.name, series.info, series.labels, off_);
    journal::Scan scan(view_, {{place}, range_.from, range_.to}, stop_);
    std::uint64_t samples = 0;
    while (true) {
      const auto portion = scan.next();
      if (!portion) return fail(portion.error());
      if (portion->samples.empty()) break;
      for (rules::Replay& replay : replays) replay.observe(portion->samples);
      samples += portion->samples.size();
      progress_.show([&] { return tools::counted(samples_ + samples, "sample", "samples"); });
    }
    samples_ += samples;
    series_ += samples > 0 ? 1 : 0;
    for (const std::size_t i : watching) fed_[i] = fed_[i] || samples > 0;
    for (std::size_t i = 0; i < replays.size(); ++i) {
      replays[i].finish(end_);
      tallies_[watching[i]].add(replays[i]);
      if (!replays[i].problem().empty() && (i == 0 || replays[i].problem() != replays[i - 1].problem())) {
        progress_.clear();
        fmt::print(stderr, "{} does not watch {}\n", variants[watching[i]].rule.name, replays[i].problem());
      }
      if (Status status = answer_.put(replays[i]); !status) return status;
    }
    return {};
  }

  journal::StoreView& view_;
  const tools::Range range_;
  Timestamp end_{};  ///< of what is known
  const std::stop_token stop_;
  Answer& answer_;
  tools::Progress progress_;
  std::vector<rules::Interval> off_;
  std::vector<Tally> tallies_;
  std::vector<bool> fed_;  ///< each variant, by any sample
  std::uint64_t samples_ = 0, series_ = 0;
};

}  // namespace

Result<int> backtest(const Backtest& options, const tools::Surroundings& surroundings) {
  if (options.list && !options.sweep.empty()) return fail(Errc::invalid, "--list and --sweep do not go together");
  const auto range = tools::parse_range(options.from, options.to, surroundings.now, {Timestamp{}, surroundings.now});
  if (!range) return fail(range.error());
  config::Problems problems;
  const config::Node all = all_rules(options, surroundings.configuration, problems);
  if (!problems.empty()) {
    fmt::print(stderr, "{}", problems.text());
    return tools::kConfigurationWrong;
  }
  const auto rules = choose(all, options);
  if (!rules) return fail(rules.error());
  std::vector<std::string> left_out;
  const auto tried = variants(*rules, options.sweep, left_out);
  if (!tried) return fail(tried.error());
  for (const std::string& one : left_out) fmt::print(stderr, "left out: {}\n", one);
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  tools::Output output;
  const auto rows = tools::Rows::make(options.format, output);
  Answer answer(options, *rows);
  Play play(**view, *range, surroundings, answer);
  Status status = play.prepare();
  if (status) status = answer.begin();
  if (status) status = play.run(*tried);
  for (std::size_t i = 0; status && !options.sweep.empty() && i < tried->size(); ++i)
    status = answer.put((*tried)[i], play.tallies()[i]);
  if (status) status = rows->end();
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  fmt::print(stderr, "{} of {} series, {} to {}\n", tools::counted(play.samples(), "sample", "samples"), play.series(),
             rfc3339(std::chrono::floor<std::chrono::seconds>(range->from)),
             rfc3339(std::chrono::floor<std::chrono::seconds>(play.end())));
  return tools::verdict((*view)->reading());
}

}  // namespace tidegate::app
