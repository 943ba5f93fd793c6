#include <algorithm>
#include <bit>
#include <map>

#include "gateway/core/time_text.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/file_check.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/names.h"
#include "gateway/journal/history/rollup.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

using history::Day;
using history::Rollup;

Timestamp time_of(std::int64_t ticks) { return Timestamp{Micros{ticks}}; }
Timestamp end_of(Day day) { return day + std::chrono::days(1); }

Bucket total_of(std::span<const Rollup> rollups) {
  Bucket all;
  for (const Rollup& one : rollups) history::add(all, one.bucket);
  return all;
}
bool alike(const Bucket& a, const Bucket& b) {
  const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };  // NaN is equal to itself
  return a.count == b.count && a.bad == b.bad && bits(a.min) == bits(b.min) && bits(a.max) == bits(b.max) &&
         bits(a.first) == bits(b.first) && bits(a.last) == bits(b.last);
}
std::int64_t samples_of(const Bucket& bucket) { return std::int64_t{bucket.count} + bucket.bad; }

/// The names that a file has for its series; what of them is not as it was written is damage.
Status read_names(FileCheck& check, std::map<std::int64_t, std::string>& names) {
  auto rows = check.connection().prepare("SELECT id, name FROM series ORDER BY id");
  if (!rows) return check.told(rows.error(), "names");
  Result<bool> row = rows->step();
  for (; row && *row; row = rows->step()) names.emplace(rows->integer(0), rows->text(1));
  if (!row) return check.told(row.error(), "names");
  const auto all = history::all_series(check.connection());
  if (!all) return check.told(all.error(), "names");
  for (const std::string& damage : all->damages) check.damage("names", damage);
  return {};
}

class DayCheck : public FileCheck {
 public:
  DayCheck(sql::Connection& connection, const history::DayFileName& file, const std::filesystem::path& log,
           const CheckReport& report)
      : FileCheck(connection, file.path, report), day_(file.day), log_(log) {}

  Result<Checked> run() {
    Status (DayCheck::*const parts[])() = {&DayCheck::check_whole, &DayCheck::check_rounds, &DayCheck::check_minutes};
    return run_all(*this, parts);
  }

 private:
  struct Round {
    std::int64_t id;
    std::string epoch;
    std::int64_t first_seq, last_seq;
    Timestamp first_time, last_time;
    std::int64_t samples;
  };

  Status check_whole() {
    if (Status status = check_pages(); !status) return status;
    if (Status status = read_names(*this, names_); !status) return status;
    const auto thinned = connection().number("SELECT count(*) FROM thinned");
    if (!thinned) return fail(thinned.error());
    thinned_ = *thinned > 0;
    const auto sealed = connection().number("SELECT round FROM sealed");
    if (!sealed) return fail(sealed.error());
    sealed_ = *sealed;
    if (Status status = read_rounds(); !status) return status;
    check_against_log();
    return {};
  }

  void check_against_log() {
    auto log = sql::Connection::open(log_, sql::Connection::Access::read);
    const auto epoch = log ? history_epoch(*log) : fail(log.error());
    const auto last = log ? log->number("SELECT max(seq) FROM batch") : fail(log.error());
    if (!epoch || !last) return;
    for (const Round& round : rounds_) {
      if (round.epoch != *epoch || round.last_seq <= *last) continue;
      damage(fmt::format("round {}", round.id),
             fmt::format("it ends with batch {}, and the log with {}", round.last_seq, *last));
    }
  }

  Status read_rounds() {
    auto rows = connection().prepare(
        "SELECT id, epoch, first_seq, last_seq, first_time, last_time, samples FROM round ORDER BY id");
    if (!rows) return fail(std::move(rows.error()));
    while (true) {
      const Result<bool> row = rows->step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      Round round{rows->integer(0),          std::string(rows->text(1)), rows->integer(2), rows->integer(3),
                  time_of(rows->integer(4)), time_of(rows->integer(5)),  rows->integer(6)};
      if (!rounds_.empty() && rounds_.back().epoch == round.epoch && round.first_seq <= rounds_.back().last_seq) {
        damage(fmt::format("round {}", round.id),
               fmt::format("it begins at batch {}, which is in the round before it", round.first_seq));
      }
      rounds_.push_back(std::move(round));
    }
  }

  Status check_rounds() {
    std::uint64_t met = 0;
    for (const Round& round : rounds_) {
      std::int64_t samples = 0;
      for (const auto& [series, name] : names_) {
        if (stopped()) return stopped_check();
        const auto found = check_chunk(round, series);
        if (!found && found.error().code != Errc::corrupt) return fail(found.error());
        if (!found) damage(extent(round, series), found.error().text);
        if (found && *found) ++met;
        samples += found && *found ? **found : 0;
      }
      if (samples != round.samples) {
        damage(fmt::format("round {}", round.id),
               fmt::format("it says {} samples, and its chunks say {}", round.samples, samples));
      }
    }
    const std::int64_t end = (rounds_.empty() ? 1 : rounds_.back().id + 1) << 32;
    const auto chunks = connection().number(fmt::format("SELECT count(*) FROM chunk WHERE key < {}", end));
    if (!chunks) return fail(chunks.error());
    if (static_cast<std::uint64_t>(*chunks) != met) {
      damage("chunks", fmt::format("{} can be reached by series and round, and there are {}", met, *chunks));
    }
    return {};
  }

  std::string extent(const Round& round, std::int64_t series) const {
    return fmt::format("round {}, series '{}'", round.id, names_.at(series));
  }

  /// How many samples its row says; nothing where there is none of that series. Errc::corrupt: it cannot be read.
  Result<std::optional<std::int64_t>> check_chunk(const Round& round, std::int64_t series) {
    auto row = connection().prepare("SELECT first_time, last_time, samples, data FROM chunk WHERE key = ?");
    if (!row) return fail(std::move(row.error()));
    const Result<bool> there = row->bind(round.id << 32 | series).step();
    if (!there) return fail(there.error());
    if (!*there) return std::optional<std::int64_t>{};
    const Timestamp first = time_of(row->integer(0));
    const Timestamp last = time_of(row->integer(1));
    const std::int64_t said = row->integer(2);
    std::string what;
    if (Status status = decode(row->text(3), samples_); !status) {
      samples_.clear();
      what = status.error().text;
    } else if (static_cast<std::int64_t>(samples_.size()) != said) {
      what = fmt::format("it holds {} samples and says {}", samples_.size(), said);
    } else if (!in_order() || !of_their_times(round, first, last)) {
      what = "its samples are of other times than it says";
    }
    count(samples_.size());
    if (!what.empty()) {
      damage(extent(round, series),
             fmt::format("{} samples of {} to {}: {}", said, rfc3339(first), rfc3339(last), what));
    }
    if (round.id <= sealed_) counted_[series] += said;
    return std::optional(said);
  }

  bool in_order() const {
    return std::is_sorted(samples_.begin(), samples_.end(),
                          [](const Sample& a, const Sample& b) { return a.time < b.time; });
  }
  /// A thinned chunk keeps the times of the whole one.
  bool of_their_times(const Round& round, Timestamp first, Timestamp last) const {
    if (samples_.empty()) return false;
    const Timestamp front = samples_.front().time;
    const Timestamp back = samples_.back().time;
    const bool exact = front == first && back == last;
    return (exact || (thinned_ && front >= first && back <= last)) && first >= round.first_time &&
           last <= round.last_time && first >= Timestamp(day_) && last < end_of(day_);
  }

  Status check_minutes() {
    if (sealed_ == 0) return {};
    for (const auto& [series, name] : names_) {
      if (stopped()) return stopped_check();
      const auto minutes = history::read_minutes(connection(), series);
      if (!minutes && minutes.error().code != Errc::corrupt) return fail(minutes.error());
      if (minutes && minutes->sealed != sealed_) return {};  // it is rolled up once more just now
      const std::string which = fmt::format("minutes of series '{}'", name);
      if (!minutes) damage(which, minutes.error().text);
      if (!minutes || !minutes->rollups || thinned_) continue;
      const std::int64_t samples = samples_of(total_of(*minutes->rollups));
      if (samples == counted_[series]) continue;
      damage(which, fmt::format("they hold {} samples, and there are {}", samples, counted_[series]));
    }
    return {};
  }

  const Day day_;
  const std::filesystem::path log_;
  bool thinned_ = false;
  std::int64_t sealed_ = 0;
  std::map<std::int64_t, std::string> names_;
  std::vector<Round> rounds_;
  std::map<std::int64_t, std::int64_t> counted_;  ///< samples of the sealed rounds, by series
  std::vector<Sample> samples_;
};

class YearCheck : public FileCheck {
 public:
  using FileCheck::FileCheck;

  Result<Checked> run() {
    Status (YearCheck::*const parts[])() = {&YearCheck::check_whole, &YearCheck::check_days};
    return run_all(*this, parts);
  }

 private:
  Status check_whole() {
    if (Status status = check_pages(); !status) return status;
    return read_names(*this, names_);
  }

  Status check_days() {
    auto rows = connection().prepare("SELECT key, total, hours FROM rolled WHERE key > ? ORDER BY key LIMIT 256");
    if (!rows) return fail(std::move(rows.error()));
    for (std::int64_t after = 0, before = -1; after != before;) {
      if (stopped()) return stopped_check();
      before = after;
      rows->bind(after);
      while (true) {
        const Result<bool> row = rows->step();
        if (!row) return fail(row.error());
        if (!*row) break;
        after = rows->integer(0);
        check_day(after, rows->text(1), rows->text(2));
      }
    }
    return {};
  }

  void check_day(std::int64_t key, std::string_view total_bytes, std::string_view hours_bytes) {
    const Day day{std::chrono::days(key >> 32)};
    const auto name = names_.find(key & 0xFFFFFFFF);
    const std::string extent =
        fmt::format("{}, series '{}'", rfc3339(day).substr(0, 10), name == names_.end() ? "" : name->second);
    if (name == names_.end()) damage(extent, "it has no name");
    const auto total = history::decode_rollups(total_bytes, history::kDay);
    const auto hours = history::decode_rollups(hours_bytes, history::kHour);
    if (!total || !hours) {
      damage(extent, (total ? hours : total).error().text);
      return;
    }
    const Bucket whole = total_of(*total);
    count(static_cast<std::uint64_t>(samples_of(whole)));
    if (!alike(whole, total_of(*hours))) damage(extent, "its hours do not make up the day");
    const auto outside = [&](const Rollup& rollup) {
      return rollup.bucket.first_time < Timestamp(day) || rollup.bucket.last_time >= end_of(day);
    };
    for (const auto* rollups : {&*total, &*hours}) {
      if (std::any_of(rollups->begin(), rollups->end(), outside)) damage(extent, "it is of another day");
    }
  }

  std::map<std::int64_t, std::string> names_;
};

Result<Checked> check_file(const std::filesystem::path& path, const CheckReport& report,
                           const std::function<Result<Checked>(sql::Connection&)>& check) {
  auto connection = history::open_as_guest(path);
  if (!connection && connection.error().code == Errc::corrupt) {
    report.damage({path, "", connection.error().text});
    return Checked{.damages = 1};
  }
  if (!connection) return fail(std::move(connection.error()));
  return check(*connection);
}

}  // namespace

Result<Checked> check_day(const history::DayFileName& file, const std::filesystem::path& log,
                          const CheckReport& report) {
  return check_file(file.path, report,
                    [&](sql::Connection& connection) { return DayCheck(connection, file, log, report).run(); });
}

Result<Checked> check_year(const std::filesystem::path& file, const CheckReport& report) {
  return check_file(file, report,
                    [&](sql::Connection& connection) { return YearCheck(connection, file, report).run(); });
}

}  // namespace tidegate::journal
