#include "gateway/tools/samples.h"

#include <fmt/format.h>

#include <cstdio>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::tools {
namespace {

Result<Timestamp> time_of(const std::string& text, const char* option, Timestamp now, Timestamp otherwise) {
  if (text.empty()) return otherwise;
  if (const auto time = parse_time(text, now)) return *time;
  return fail(Errc::invalid,
              "{} {}: is no time; write -1h, -7d, 2026-03-01, '2026-03-01 12:30' or 2026-03-01T12:30:00Z", option,
              printable(text));
}

/// A state's text; nothing for other kinds, and for a code that has none.
Value label_of(const journal::Catalogue::Entry& series, const Sample& sample) {
  const bool known = series.info.kind == SeriesKind::state && sample.quality != Quality::bad && sample.value >= 0 &&
                     sample.value < static_cast<double>(series.labels.size());
  if (!known) return std::monostate{};
  return std::string_view(series.labels[static_cast<std::size_t>(sample.value)]);
}

}  // namespace

Result<Range> parse_range(const std::string& from, const std::string& to, Timestamp now, Range otherwise) {
  const auto begin = time_of(from, "--from", now, otherwise.from);
  if (!begin) return fail(begin.error());
  const auto end = time_of(to, "--to", now, otherwise.to);
  if (!end) return fail(end.error());
  if (*begin < *end) return Range{*begin, *end};
  return fail(Errc::invalid, "--from is {} and --to is {}: nothing lies between them", rfc3339(*begin), rfc3339(*end));
}

Result<std::vector<std::size_t>> find_series(const journal::StoreView& view, const std::vector<std::string>& patterns) {
  std::vector<Pattern> parsed;
  for (const std::string& text : patterns) {
    auto pattern = Pattern::parse(text);
    if (!pattern) return fail(Errc::invalid, "{}", pattern.error().text);
    parsed.push_back(std::move(*pattern));
  }
  auto found = view.matching(parsed);
  if (!found.empty()) return found;
  std::vector<std::string> names;
  for (const auto& series : view.series()) names.push_back(series.name);
  const bool star = patterns.front().find('*') != std::string::npos;
  const std::string hint =
      star ? "; + stands for one level of a name, # for all the rest" : did_you_mean(patterns.front(), names);
  return fail(Errc::not_found,
              "none of the {} in {} matches {}{}; `tidegate sql \"SELECT name FROM series\"` lists them",
              names.size() == 1 ? "1 series" : fmt::format("{} series", names.size()), view.directory().string(),
              fmt::join(patterns, " "), hint);
}

Status write_sample(const journal::Catalogue::Entry& series, const Sample& sample, Rows& rows) {
  const std::string time = rfc3339_micros(sample.time);
  const bool bad = sample.quality == Quality::bad;
  const std::array<Value, 5> cells = {std::string_view(series.name), std::string_view(time),
                                      bad ? Value() : Value(sample.value), name(sample.quality),
                                      label_of(series, sample)};
  return rows.row(cells);
}

Status write_samples(journal::StoreView& view, journal::Selection selection, Rows& rows, std::stop_token stop,
                     const std::function<void(std::size_t samples)>& count) {
  if (Status status = rows.columns(kSampleColumns); !status) return status;
  journal::Scan scan(view, std::move(selection), std::move(stop));
  while (true) {
    const auto portion = scan.next();
    if (!portion) return fail(portion.error());
    if (portion->samples.empty()) return rows.end();
    const auto& series = view.series()[portion->series];
    for (const Sample& sample : portion->samples) {
      if (Status status = write_sample(series, sample, rows); !status) return status;
    }
    count(portion->samples.size());
  }
}

int verdict(const journal::Reading& reading) {
  if (reading.sound()) return kDone;
  fmt::print(stderr, "damaged parts of the store were left out; `tidegate store check` names them\n");
  return kDamaged;
}

}  // namespace tidegate::tools
