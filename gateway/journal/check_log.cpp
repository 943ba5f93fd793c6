#include <algorithm>
#include <optional>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/file_check.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/restore.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

constexpr int kRowsASnapshot = 512;      ///< so that a running gateway's write-ahead log can be used again
constexpr int kUnreadableInARow = 1000;  ///< beyond it the rest of a table is given up

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }

/// "batch 5", "batches 5 to 7".
std::string range_text(const char* one, const char* many, std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("{} {}", one, first) : fmt::format("{} {} to {}", many, first, last);
}

class LogCheck : public FileCheck {
 public:
  using FileCheck::FileCheck;

  Result<Checked> run() {
    Status (LogCheck::*const parts[])() = {&LogCheck::check_state, &LogCheck::check_batches, &LogCheck::check_events,
                                           &LogCheck::check_snapshots};
    return run_all(*this, parts);
  }

 private:
  /// What is small, and what must fit together: one state of it.
  Status check_state() {
    auto snapshot = sql::Transaction::snapshot(connection());
    if (!snapshot) return fail(std::move(snapshot.error()));
    if (Status status = check_pages(); !status) return status;
    if (const auto series = read_series(connection()); series) {
      series_ = series->size();
    } else if (Status status = told(series.error(), "names"); !status) {
      return status;
    }
    if (const auto alerts = read_alerts(connection()); alerts) {
      for (const AlertRecord& alert : alerts->mended) {
        damage(fmt::format("alert '{}'", printable(alert.id)), "its record is damaged");
      }
    } else if (Status status = told(alerts.error(), "alerts"); !status) {
      return status;
    }
    if (const auto letters = read_dead_letters(connection(), 1'000'000); !letters) {
      if (Status status = told(letters.error(), "dead letters"); !status) return status;
    }
    return check_meta();
  }

  Status check_meta() {
    const auto latest = connection().text("SELECT value FROM meta WHERE key = 'latest'");
    if (!latest) return fail(latest.error());
    if (!latest->empty() && !decode(*latest)) damage("newest samples", "their checksum does not fit");
    const std::pair<const char*, std::int64_t*> numbers[] = {
        {"SELECT max(seq) FROM batch", &last_},
        {"SELECT coalesce(min(seq), 0) FROM event", &first_event_batch_},
        {"SELECT coalesce(max(id), 0) FROM event", &last_event_},
    };
    for (const auto& [query, number] : numbers) {
      const auto found = connection().number(query);
      if (!found) return fail(found.error());
      *number = *found;
    }
    const auto said = connection().number("SELECT value FROM meta WHERE key = 'event_bytes'");
    if (!said) return fail(said.error());
    const auto bytes = connection().number("SELECT coalesce(sum(length(CAST(json AS BLOB))), 0) FROM event");
    if (!bytes) return fail(bytes.error());
    if (*said != *bytes) damage("events", fmt::format("they are {} bytes and not {} as counted", *bytes, *said));
    auto ahead = connection().prepare("SELECT name, seq FROM cursor WHERE seq > ?");
    if (!ahead) return fail(std::move(ahead.error()));
    for (Result<bool> row = ahead->bind(last_).step(); row && *row; row = ahead->step()) {
      damage(fmt::format("cursor '{}'", ahead->text(0)),
             fmt::format("it is at batch {}, and the last is {}", ahead->integer(1), last_));
    }
    return {};
  }

  Status check_batches() {
    const auto first = connection().number("SELECT min(seq) FROM batch");
    if (!first) return fail(first.error());
    int unreadable = 0;
    for (std::int64_t seq = *first; seq <= last_ && last_ > 0;) {
      if (stopped()) return stopped_check();
      auto snapshot = sql::Transaction::snapshot(connection());
      if (!snapshot) return fail(std::move(snapshot.error()));
      for (int i = 0; i < kRowsASnapshot && seq <= last_; ++i) {
        const auto next = check_batch_at(seq);
        if (!next && next.error().code != Errc::corrupt) return fail(next.error());
        unreadable = next ? 0 : unreadable + 1;
        if (!next) damage(fmt::format("batch {}", seq), next.error().text);
        if (!next) before_.reset();
        if (unreadable == kUnreadableInARow) {
          damage(fmt::format("batches from {} on", seq + 1), "not looked at after so much damage");
          return {};
        }
        seq = next ? *next : seq + 1;
      }
    }
    return {};
  }

  /// The seq to go on with: the next, or the first after a hole. Errc::corrupt: the batch cannot be read.
  Result<std::int64_t> check_batch_at(std::int64_t seq) {
    auto row = connection().prepare(fmt::format(
        "SELECT committed, first_time, last_time, samples, samples_before, events, alerts, alerts_crc, data, {} "
        "FROM batch WHERE seq = ?",
        sound_by(connection(), kBatchCrc)));
    if (!row) return fail(std::move(row.error()));
    const Result<bool> there = row->bind(seq).step();
    if (!there) return fail(there.error());
    if (*there) {
      if (Status status = check_batch(seq, *row); !status) return fail(std::move(status.error()));
      return seq + 1;
    }
    before_.reset();
    const auto next = connection().number(fmt::format("SELECT min(seq) FROM batch WHERE seq > {}", seq));
    if (!next) return fail(next.error());
    const auto oldest = connection().number("SELECT min(seq) FROM batch");
    if (!oldest) return fail(oldest.error());
    // What retention took meanwhile is no hole.
    if (*oldest < seq) {
      const std::string what = *next - 1 == seq ? "is missing" : "are missing";
      damage(range_text("batch", "batches", seq, *next - 1), what, true);
    }
    return std::max(*next, seq + 1);
  }

  struct Before {
    std::int64_t committed, samples;
  };

  Status check_batch(std::int64_t seq, sql::Statement& row) {
    const std::string batch = fmt::format("batch {}", seq);
    const std::int64_t committed = row.integer(0);
    const std::int64_t samples = row.integer(3);
    if (before_ && committed < before_->committed) damage(batch, "it was committed before the one before it");
    if (before_ && row.integer(4) != before_->samples) {
      damage(batch, fmt::format("it counts {} samples before it, and there are {}", row.integer(4), before_->samples));
    }
    if (row.integer(9) == 0) damage(batch, "the checksum of its row does not fit");
    before_ = Before{committed, row.integer(4) + samples};
    check_samples(batch, row, committed, samples);
    if (!row.null(6)) check_alerts(batch, row.text(6), row.integer(7));
    return row.integer(5) > 0 ? check_number_of_events(seq, row.integer(5)) : Status{};
  }

  void check_samples(const std::string& batch, sql::Statement& row, std::int64_t committed, std::int64_t samples) {
    if (Status status = decode(row.text(8), samples_); !status) {
      damage(batch, fmt::format("{} samples: {}", samples, status.error().text));
      return;
    }
    count(samples_.size());
    if (static_cast<std::int64_t>(samples_.size()) != samples) {
      damage(batch, fmt::format("it holds {} samples and says {}", samples_.size(), samples));
    }
    std::int64_t first = committed;
    std::int64_t last = committed;
    std::size_t unknown = 0;
    for (const Sample& sample : samples_) {
      const bool is_first = &sample == samples_.data();
      first = is_first ? ticks(sample.time) : std::min(first, ticks(sample.time));
      last = is_first ? ticks(sample.time) : std::max(last, ticks(sample.time));
      unknown += series_ && index(sample.series) >= *series_ ? 1 : 0;
    }
    if (first != row.integer(1) || last != row.integer(2)) damage(batch, "its samples are of other times than it says");
    if (unknown > 0) damage(batch, fmt::format("{} of its samples are of series that have no name", unknown));
  }

  void check_alerts(const std::string& batch, std::string_view json, std::int64_t crc) {
    if (!fits(json, crc)) {
      damage(batch, "the checksum of its alert records does not fit");
    } else if (!alerts_from_json(json)) {
      damage(batch, "its alert records are not understood");
    }
  }

  Status check_number_of_events(std::int64_t seq, std::int64_t said) {
    const auto events = connection().number(fmt::format("SELECT count(*) FROM event WHERE seq = {}", seq));
    if (!events) return fail(events.error());
    const bool retired = *events == 0 && (first_event_batch_ == 0 || seq < first_event_batch_);
    if (*events != said && !retired) {
      damage(fmt::format("batch {}", seq), fmt::format("it says {} events, and there are {}", said, *events));
    }
    return {};
  }

  Status check_events() {
    const auto first = connection().number("SELECT min(id) FROM event");
    if (!first) return fail(first.error());
    int unreadable = 0;
    for (std::int64_t id = *first; id <= last_event_ && last_event_ > 0;) {
      if (stopped()) return stopped_check();
      auto snapshot = sql::Transaction::snapshot(connection());
      if (!snapshot) return fail(std::move(snapshot.error()));
      for (int i = 0; i < kRowsASnapshot && id <= last_event_; ++i, ++id) {
        Status status = check_event(id);
        if (!status && status.error().code != Errc::corrupt) return status;
        unreadable = status ? 0 : unreadable + 1;
        if (!status) damage(fmt::format("event {}", id), status.error().text);
        if (unreadable < kUnreadableInARow) continue;
        damage(fmt::format("events from {} on", id + 1), "not looked at after so much damage");
        return {};
      }
    }
    return {};
  }

  Status check_event(std::int64_t id) {
    auto row = connection().prepare(fmt::format("SELECT {} FROM event WHERE id = ?", kEventColumns));
    if (!row) return fail(std::move(row.error()));
    const Result<bool> there = row->bind(id).step();
    if (!there) return fail(there.error());
    if (!*there) {
      const auto oldest = connection().number("SELECT min(id) FROM event");
      if (!oldest) return fail(oldest.error());
      return *oldest > id ? Status{} : fail(Errc::corrupt, "it is missing");  // retention took it meanwhile
    }
    if (!is_sound_event(*row, 0)) return fail(Errc::corrupt, "its checksum does not fit");
    if (!event_from_json(row->text(0))) return fail(Errc::corrupt, "it is not understood");
    return {};
  }

  Status check_snapshots() {
    auto snapshot = sql::Transaction::snapshot(connection());
    if (!snapshot) return fail(std::move(snapshot.error()));
    const auto there = has_snapshots(connection());
    if (!there) return fail(there.error());
    if (!*there) return {};
    auto rows = connection().prepare("SELECT seq, data FROM snapshot ORDER BY seq");
    if (!rows) return fail(std::move(rows.error()));
    Result<bool> row = rows->step();
    for (; row && *row; row = rows->step()) {
      if (Status status = decode(rows->text(1), samples_); !status) {
        damage(fmt::format("snapshot {}", rows->integer(0)), status.error().text);
      }
    }
    return row ? Status{} : told(row.error(), "snapshots");
  }

  std::optional<std::size_t> series_;
  std::int64_t last_ = 0, first_event_batch_ = 0, last_event_ = 0;
  std::optional<Before> before_;
  std::vector<Sample> samples_;
};

}  // namespace

Result<Checked> check_log(const std::filesystem::path& file, const CheckReport& report) {
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return fail(Errc::not_found, "{} is not there", file.string());
  auto connection = sql::Connection::open(file, sql::Connection::Access::read);
  if (!connection && connection.error().code == Errc::corrupt) {
    report.damage({file, "", connection.error().text});
    return Checked{.damages = 1};
  }
  if (!connection) return fail(std::move(connection.error()));
  return LogCheck(*connection, file, report).run();
}

}  // namespace tidegate::journal
