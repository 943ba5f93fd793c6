// How good the detectors are: over series that the program makes itself, or over a folder of labelled files.

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "gateway/core/time_text.h"
#include "tests/bench/contender.h"
#include "tests/bench/score.h"
#include "tests/bench/series_files.h"
#include "tests/bench/shift_delay.h"

namespace tidegate::bench {
namespace {

constexpr const char* kHelp = R"(Usage: tidegate-detector-score [--series N]
       tidegate-detector-score --data DIR [--labels FILE] [--detector NAME] [--out DIR]

Says how good the detectors are, each with its default settings, beside simple alternatives.

Without --data it makes 200 labelled series itself (drift, step, spike, stuck, drop-out, changed season, changed noise,
healthy), and five healthy ones of four weeks at one reading a second.

  --series N       so many instead of 200, for a quick look
  --data DIR       every .csv file below DIR: lines of timestamp,value; times as 2014-04-01 00:00:00, RFC 3339 or
                   seconds since 1970
  --labels FILE    JSON that says where something is wrong: {"folder/file.csv": [["start", "end"], ...]}, files relative
                   to DIR. Prints how each detector did, and the NAB standard score
  --out DIR        writes DIR/<the same tree>.csv with timestamp,value,anomaly_score for every reading; the score is
                   from 0 to 1, 0.5 is where the alert would be raised
  --detector NAME  whose scores --out writes; "anomaly" where it is not given
  --help           this text

Exit code 0: done; 1: a file is wrong or cannot be read or written; 2: wrong usage.
)";

struct Options {
  std::size_t series = 200;
  std::string data, labels, out, detector = "anomaly";
};

/// Columns of one kind of row.
std::string row(std::string_view what, const Tally& tally) {
  const double delay = tally.median_delay();
  const std::string wait = std::isnan(delay) ? "-" : age_text(std::chrono::seconds(static_cast<std::int64_t>(delay)));
  return fmt::format("  {:<12} {:>9.2f} {:>7.2f} {:>16} {:>12.4f} {:>7}\n", what, tally.precision(), tally.recall(),
                     wait, tally.false_alarms_a_day(), tally.alarms);
}

std::string heading(const Contender& contender) {
  return fmt::format("\n{}: {}\n  {:<12} {:>9} {:>7} {:>16} {:>12} {:>7}\n", contender.name, contender.rule, "",
                     "precision", "recall", "delay (median)", "false a day", "alarms");
}

/// A fault may end before a detector that looks at a stretch of time can say so: a day more is its own.
std::vector<Span> patient(const std::vector<Span>& spans, Micros patience) {
  std::vector<Span> longer = spans;
  for (Span& span : longer) span.end += patience;
  return longer;
}

Tally tally_of(const Contender& contender, const LabelledSeries& series, Micros patience, Timestamp from) {
  const auto first = std::partition_point(series.readings.begin(), series.readings.end(), [&](const Reading& reading) {
    return reading.time < series.readings.front().time + std::chrono::days(15);
  });
  const Judged judged = judge(contender, series.readings, static_cast<std::size_t>(first - series.readings.begin()));
  return tally(judged.alarms, patient(series.spans, patience), from, series.readings.back().time);
}

int score_generated(std::size_t count) {
  constexpr Micros kPatience = std::chrono::hours(1);
  fmt::print(
      "{} series at one reading a minute over 28 days, a fault in days 18 to 27; judged from day 15 on.\n"
      "An alarm is right from the fault's beginning until an hour after its end.\n",
      count);
  std::vector<std::map<std::string, Tally>> tallies(contenders().size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view type = fault_types()[i % fault_types().size()];
    const LabelledSeries series = faulty_series(type, i);
    const Timestamp from = series.readings.front().time + std::chrono::days(15);
    for (std::size_t c = 0; c < contenders().size(); ++c)
      tallies[c][std::string(type)].add(tally_of(contenders()[c], series, kPatience, from));
  }
  std::vector<Tally> healthy(contenders().size());
  for (std::size_t i = 0; i < std::max<std::size_t>(1, count / 40); ++i) {
    const LabelledSeries series = healthy_second_series(1'000 + i, 28);
    for (std::size_t c = 0; c < contenders().size(); ++c)
      healthy[c].add(tally_of(contenders()[c], series, kPatience, series.readings.front().time));
  }
  for (std::size_t c = 0; c < contenders().size(); ++c) {
    fmt::print("{}", heading(contenders()[c]));
    Tally all;
    for (const std::string_view type : fault_types()) {
      const Tally& of_type = tallies[c][std::string(type)];
      all.add(of_type);
      fmt::print("{}", row(type, of_type));
    }
    fmt::print("{}", row("all", all));
    fmt::print("  healthy at 1 Hz, from its first reading on: {:.3f} false alarms a week\n",
               healthy[c].false_alarms_a_day() * 7);
  }
  fmt::print("{}", shift_delays());
  return 0;
}

/// From 0 to 1; 0.5 at the limit.
double squeezed(double score, double limit) { return 1 - std::exp2(-score / limit); }

struct Corpus {
  std::vector<std::string> names;
  std::vector<LabelledSeries> series;
};

Result<Corpus> load(const Options& options) {
  const auto names = csv_files(options.data);
  if (!names) return fail(names.error());
  std::map<std::string, std::vector<Span>> labels;
  if (!options.labels.empty()) {
    const auto text = read_text(options.labels);
    if (!text) return fail(text.error());
    auto parsed = parse_labels(*text, options.labels);
    if (!parsed) return fail(parsed.error());
    labels = std::move(*parsed);
  }
  Corpus corpus{*names, {}};
  for (const std::string& name : *names) {
    const std::filesystem::path path = std::filesystem::path(options.data) / name;
    const auto text = read_text(path);
    if (!text) return fail(text.error());
    auto readings = parse_csv(*text, path.string());
    if (!readings) return fail(readings.error());
    corpus.series.push_back({name, "", std::move(*readings), labels[name]});
  }
  for (const auto& [name, spans] : labels) {
    if (std::find(names->begin(), names->end(), name) == names->end())
      fmt::print(stderr, "{}: \"{}\" is not in {}\n", options.labels, name, options.data);
  }
  return corpus;
}

Scored scored(const LabelledSeries& series, std::vector<double> scores) {
  Scored made{{}, std::move(scores), series.spans};
  for (const Reading& reading : series.readings) made.times.push_back(reading.time);
  return made;
}

void score_corpus(const Corpus& corpus) {
  for (const Contender& contender : contenders()) {
    fmt::print("{}", heading(contender));
    std::map<std::string, Tally> by_folder;
    Tally all;
    std::vector<Scored> files;
    for (const LabelledSeries& series : corpus.series) {
      if (series.readings.empty()) continue;
      const std::size_t first = probation(series.readings.size());
      Judged judged = judge(contender, series.readings, first);
      const Timestamp from = series.readings[first].time;
      const Tally one = tally(judged.alarms, series.spans, from, series.readings.back().time);
      by_folder[std::filesystem::path(series.name).parent_path().generic_string()].add(one);
      all.add(one);
      files.push_back(scored(series, std::move(judged.scores)));
    }
    for (const auto& [folder, one] : by_folder) fmt::print("{}", row(folder.empty() ? "." : folder, one));
    fmt::print("{}", row("all", all));
    const Standard standard = standard_score(files);
    fmt::print("  NAB standard score {:.2f}, at a threshold of {:.4g} for all files\n", standard.score,
               standard.threshold);
  }
}

int score_files(const Options& options) {
  const auto contender = std::find_if(contenders().begin(), contenders().end(),
                                      [&](const Contender& each) { return each.name == options.detector; });
  if (contender == contenders().end()) {
    fmt::print(stderr, "there is no detector '{}'; there are:", options.detector);
    for (const Contender& each : contenders()) fmt::print(stderr, " '{}'", each.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  const auto corpus = load(options);
  if (!corpus) {
    fmt::print(stderr, "{}\n", corpus.error().text);
    return 1;
  }
  if (!options.labels.empty()) score_corpus(*corpus);
  if (options.out.empty()) return 0;
  for (const LabelledSeries& series : corpus->series) {
    std::vector<double> scores = judge(*contender, series.readings, probation(series.readings.size())).scores;
    for (double& score : scores) score = squeezed(score, contender->limit);
    if (const Status written = write_scores(std::filesystem::path(options.out) / series.name, series.readings, scores);
        !written) {
      fmt::print(stderr, "{}\n", written.error().text);
      return 1;
    }
  }
  fmt::print("{} files written below {}\n", corpus->series.size(), options.out);
  return 0;
}

int usage(std::string_view what) {
  fmt::print(stderr, "{}{}Try --help.\n", what, what.empty() ? "" : "\n");
  return 2;
}

int run(int argc, char** argv) {
  static const option kOptions[] = {{"series", required_argument, nullptr, 's'},
                                    {"data", required_argument, nullptr, 'd'},
                                    {"labels", required_argument, nullptr, 'l'},
                                    {"out", required_argument, nullptr, 'o'},
                                    {"detector", required_argument, nullptr, 'n'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key; (key = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;) {
    switch (key) {
      case 's': {
        const int count = std::atoi(optarg);
        if (count < 1 || count > 100'000) return usage("--series is a number from 1 to 100000");
        options.series = static_cast<std::size_t>(count);
        break;
      }
      case 'd':
        options.data = optarg;
        break;
      case 'l':
        options.labels = optarg;
        break;
      case 'o':
        options.out = optarg;
        break;
      case 'n':
        options.detector = optarg;
        break;
      case 'h':
        fmt::print("{}", kHelp);
        return 0;
      default:
        return usage("");
    }
  }
  if (optind < argc) return usage(fmt::format("what is '{}'?", argv[optind]));
  if (!options.data.empty()) {
    if (options.labels.empty() && options.out.empty()) return usage("with --data say --labels, --out, or both");
    std::error_code none;
    if (std::filesystem::equivalent(options.data, options.out, none)) return usage("--out would overwrite the data");
    return score_files(options);
  }
  if (!options.labels.empty() || !options.out.empty()) return usage("--labels and --out go with --data");
  return score_generated(options.series);
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
