#include "gateway/journal/history.h"

#include <algorithm>

#include "gateway/journal/codec.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

constexpr std::uint32_t kNotAsked = ~std::uint32_t{0};

void add(Bucket& bucket, const Sample& sample) {
  if (sample.quality == Quality::bad) {
    if (bucket.count == 0) {
      bucket.first_time = bucket.bad == 0 ? sample.time : std::min(bucket.first_time, sample.time);
      bucket.last_time = bucket.bad == 0 ? sample.time : std::max(bucket.last_time, sample.time);
    }
    ++bucket.bad;
    return;
  }
  if (bucket.count++ == 0) {
    bucket.first_time = bucket.last_time = sample.time;
    bucket.min = bucket.max = bucket.first = bucket.last = bucket.sum = sample.value;
    return;
  }
  bucket.min = std::min(bucket.min, sample.value);
  bucket.max = std::max(bucket.max, sample.value);
  bucket.sum += sample.value;
  if (sample.time < bucket.first_time) {
    bucket.first_time = sample.time;
    bucket.first = sample.value;
  }
  if (sample.time >= bucket.last_time) {
    bucket.last_time = sample.time;
    bucket.last = sample.value;
  }
}

class Buckets {
 public:
  explicit Buckets(const HistoryQuery& query)
      : from_(query.from), to_(query.to), points_(query.max_points), width_(width_of(query)) {
    for (const SeriesId id : query.series) {
      if (index(id) >= row_.size()) row_.resize(index(id) + 1, kNotAsked);
      if (row_[index(id)] == kNotAsked) row_[index(id)] = rows_++;
    }
    buckets_.resize(rows_ * points_);
  }

  void add_all(std::span<const Sample> samples) {
    for (const Sample& sample : samples) {
      if (index(sample.series) >= row_.size() || sample.time < from_ || sample.time >= to_) continue;
      const std::uint32_t row = row_[index(sample.series)];
      if (row == kNotAsked) continue;
      add(buckets_[row * points_ + static_cast<std::size_t>((sample.time - from_) / width_)], sample);
    }
  }

  SeriesHistory of(SeriesId id) const {
    SeriesHistory history{id, {}};
    const auto begin = buckets_.begin() + static_cast<std::ptrdiff_t>(row_[index(id)] * points_);
    std::copy_if(begin, begin + static_cast<std::ptrdiff_t>(points_), std::back_inserter(history.buckets),
                 [](const Bucket& bucket) { return bucket.count + bucket.bad > 0; });
    return history;
  }

 private:
  static Micros width_of(const HistoryQuery& query) {
    const auto points = static_cast<std::int64_t>(query.max_points);
    return Micros{std::max<std::int64_t>(1, ((query.to - query.from).count() + points - 1) / points)};
  }

  const Timestamp from_, to_;
  const std::size_t points_;
  const Micros width_;
  std::uint32_t rows_ = 0;
  std::vector<std::uint32_t> row_;  ///< by series
  std::vector<Bucket> buckets_;     ///< points_ a row
};

constexpr const char* kOverlapping =
    "SELECT data FROM batch WHERE seq >= ? AND seq <= ? AND last_time >= ? AND first_time < ? {} ORDER BY seq";

/// Adds the batches of [first, last] that overlap the range; `which` narrows them.
Status scan(sql::Connection& connection, const HistoryQuery& query, Seq first, Seq last, const char* which,
            Buckets& buckets) {
  if (first > last) return {};
  auto rows = connection.prepare(fmt::format(kOverlapping, which));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(first), number(last), query.from.time_since_epoch().count(), query.to.time_since_epoch().count());
  std::vector<Sample> samples;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (decode(rows->text(0), samples)) buckets.add_all(samples);
  }
}

}  // namespace

Result<std::vector<SeriesHistory>> read_history(sql::Connection& connection, const HistoryQuery& query) {
  auto snapshot = sql::Transaction::snapshot(connection);
  if (!snapshot) return fail(std::move(snapshot.error()));
  const auto near_first = first_committed(connection, query.from - kUsualLag, query.first, query.last);
  if (!near_first) return fail(near_first.error());
  const auto past_near = first_committed(connection, query.to + kUsualLag, query.first, query.last);
  if (!past_near) return fail(past_near.error());
  Buckets buckets(query);
  const char* wide = "AND wide = 1";
  for (const auto& [first, last, which] :
       {std::tuple(query.first, prev(*near_first), wide), std::tuple(*near_first, prev(*past_near), ""),
        std::tuple(*past_near, query.last, wide)}) {
    if (Status status = scan(connection, query, first, last, which, buckets); !status) {
      return fail(std::move(status.error()));
    }
  }
  std::vector<SeriesHistory> histories;
  for (const SeriesId id : query.series) histories.push_back(buckets.of(id));
  return histories;
}

}  // namespace tidegate::journal
