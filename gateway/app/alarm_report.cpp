#include "gateway/app/alarm_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gateway/core/time_text.h"
#include "gateway/journal/store_view.h"
#include "gateway/tools/events.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"

namespace tidegate::app {
namespace {

using By = rules::AlarmReport::By;
using rules::AlarmFigures;
using tools::Value;

std::vector<std::string_view> columns(By by) {
  std::vector<std::string_view> names;
  if (by == By::day || by == By::rule_and_day) names.emplace_back("day");
  if (by == By::rule || by == By::rule_and_day) names.emplace_back("rule");
  if (by == By::alert) names.emplace_back("alert");
  for (const char* name :
       {"raised", "an hour", "most in 10 min", "chattering", "stale", "acknowledged", "to acknowledge"})
    names.emplace_back(name);
  if (by == By::day) names.emplace_back("in flood");
  return names;
}

class Answer {
 public:
  Answer(By by, tools::Format format, tools::Rows& rows)
      : by_(by), is_for_people_(format == tools::Format::table), rows_(rows) {}

  Status put(const std::vector<std::string>& of, const AlarmFigures& figures) {
    std::vector<Value> cells;
    for (const std::string& part : of) cells.emplace_back(std::string_view(part));
    const double hours = std::chrono::duration<double, std::ratio<3600>>(figures.span).count();
    std::string took, flood;
    cells.emplace_back(static_cast<std::int64_t>(figures.raised));
    const double hourly = hours > 0 ? static_cast<double>(figures.raised) / hours : 0;
    cells.emplace_back(is_for_people_ ? std::round(hourly * 100) / 100 : hourly);
    for (const std::uint64_t count :
         {figures.most_in_ten_minutes, figures.chattering, figures.stale, figures.acknowledged})
      cells.emplace_back(static_cast<std::int64_t>(count));
    cells.push_back(figures.acknowledged > 0 ? span(figures.to_acknowledge, took) : Value{});
    const double part = figures.span > Micros{0}
                            ? static_cast<double>(figures.in_flood.count()) / static_cast<double>(figures.span.count())
                            : 0;
    if (by_ == By::day) cells.push_back(share(part, flood));
    return rows_.row(cells);
  }

 private:
  // For people in words, for programs as they are.
  Value share(double part, std::string& text) const {
    if (!is_for_people_) return part;
    text = fmt::format("{:.1f} %", 100 * part);
    return std::string_view(text);
  }
  Value span(Micros span, std::string& text) const {
    if (!is_for_people_) return std::chrono::duration<double>(span).count();
    text = duration_text(std::chrono::floor<std::chrono::seconds>(span));
    return std::string_view(text);
  }

  const By by_;
  const bool is_for_people_;
  tools::Rows& rows_;
};

/// For people a line of all; programs can add up.
Status write(const AlarmReport& options, rules::AlarmReport& report, tools::Rows& rows) {
  if (Status status = rows.columns(columns(options.by)); !status) return status;
  Answer answer(options.by, options.format, rows);
  const auto lines = report.lines();
  const std::size_t shown = options.top == 0 ? lines.size() : std::min(options.top, lines.size());
  for (std::size_t i = 0; i < shown; ++i) {
    if (Status status = answer.put(lines[i].of, lines[i].figures); !status) return status;
  }
  if (options.format == tools::Format::table) {
    std::vector<std::string> all(options.by == By::rule_and_day ? 2 : 1);
    all.front() = "all";
    if (Status status = answer.put(all, report.total()); !status) return status;
  }
  return rows.end();
}

}  // namespace

Result<int> report_alarms(const AlarmReport& options, const tools::Surroundings& surroundings) {
  const auto range = tools::parse_range(options.from, options.to, surroundings.now, {Timestamp{}, surroundings.now});
  if (!range) return fail(range.error());
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  std::vector<Event> events;
  std::size_t damaged = 0;
  Timestamp begins = range->to;
  const Status read = tools::for_each_event(**view, [&](const journal::StoredEvent& stored) {
    if (stored.damaged) {
      ++damaged;
      return;
    }
    begins = std::min(begins, stored.event.time);
    if (of_alerts(stored.event.body)) events.push_back(stored.event);
  });
  if (!read) return fail(read.error());
  const auto oldest = (*view)->log().number("SELECT coalesce(min(committed), 9223372036854775807) FROM batch");
  if (!oldest) return fail(oldest.error());
  // Before the log begins nobody knows how many there were.
  begins = std::min(begins, Timestamp{Micros{*oldest}});
  const Timestamp to = std::min(range->to, surroundings.now);
  rules::AlarmReport report(options.by, {std::min(std::max(range->from, begins), to), to});
  for (const Event& event : events) report.take(event);
  tools::Output output;
  Status status = write(options, report, *tools::Rows::make(options.format, output));
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  if (damaged == 0) return tools::kDone;
  fmt::print(stderr, "{} cannot be read any more, and {} not counted\n", tools::counted(damaged, "event", "events"),
             damaged == 1 ? "is" : "are");
  return tools::kDamaged;
}

}  // namespace tidegate::app
