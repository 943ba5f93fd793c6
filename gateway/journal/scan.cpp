#include "gateway/journal/scan.h"

#include <algorithm>
#include <set>

namespace tidegate::journal {
namespace {

bool earlier(const Sample& a, const Sample& b) { return a.time < b.time; }

Timestamp end_of(history::Day day) { return day + std::chrono::days(1); }

/// The first at or after `time`, of samples in order of time.
std::span<const Sample>::iterator first_from(std::span<const Sample> samples, Timestamp time) {
  return std::lower_bound(samples.begin(), samples.end(), time,
                          [](const Sample& sample, Timestamp at) { return sample.time < at; });
}

}  // namespace

Scan::Scan(StoreView& view, Selection selection, std::stop_token stop)
    : view_(view), selection_(std::move(selection)), stop_(std::move(stop)) {}

Result<Scan::Portion> Scan::next() {
  while (at_ < selection_.series.size()) {
    if (stop_.stop_requested()) return fail(Errc::stopped, "stopped");
    if (!begun_) {
      if (Status status = begin_series(); !status) return fail(std::move(status.error()));
    }
    if (!stretches_.empty()) {
      Stretch stretch = std::move(stretches_.back());
      stretches_.pop_back();
      if (Status status = read(std::move(stretch)); !status) return fail(std::move(status.error()));
      if (!samples_.empty()) return Portion{place(), day_, samples_};
    } else if (!days_.empty()) {
      const history::Day day = days_.back();
      days_.pop_back();
      if (Status status = begin_day(day); !status) return fail(std::move(status.error()));
    } else {
      ++at_;
      begun_ = false;
    }
  }
  return Portion{};
}

Status Scan::begin_series() {
  begun_ = true;
  const auto rest = view_.rest(place());
  if (!rest) return fail(rest.error());
  std::set<history::Day> days;
  for (const history::DayFileName& file : view_.chunks().files()) days.insert(file.day);
  for (auto at = first_from(*rest, selection_.from); at != rest->end();) {
    days.insert(history::day_of(at->time));
    at = first_from(*rest, end_of(history::day_of(at->time)));
  }
  std::erase_if(days,
                [&](history::Day day) { return Timestamp(day) >= selection_.to || end_of(day) <= selection_.from; });
  days_.assign(days.begin(), days.end());
  if (!selection_.newest_first) std::reverse(days_.begin(), days_.end());
  return {};
}

Status Scan::begin_day(history::Day day) {
  day_ = day;
  auto pieces = find_pieces(day);
  if (!pieces) return fail(std::move(pieces.error()));
  std::erase_if(*pieces, [this](const Piece& piece) { return !overlaps(piece); });
  std::sort(pieces->begin(), pieces->end(), [](const Piece& a, const Piece& b) { return a.first < b.first; });
  for (const Piece& piece : *pieces) {
    if (stretches_.empty() || piece.first > stretches_.back().last) {
      stretches_.push_back({piece.first, piece.last, {piece}});
    } else {  // their samples are to be merged
      stretches_.back().last = std::max(stretches_.back().last, piece.last);
      stretches_.back().pieces.push_back(piece);
    }
  }
  if (!selection_.newest_first) std::reverse(stretches_.begin(), stretches_.end());
  return {};
}

/// All of the day's, numbered on in the order in which they were taken in.
Result<std::vector<Scan::Piece>> Scan::find_pieces(history::Day day) {
  std::vector<Piece> found;
  std::uint32_t number = 0;
  const std::vector<history::DayFileName>& files = view_.chunks().files();
  for (std::size_t file = 0; file < files.size(); ++file) {
    if (files[file].day != day) continue;
    const auto chunks = view_.chunks().list(file, view_.series()[place()].name, view_.visible());
    if (!chunks) return fail(chunks.error());
    for (const history::Chunk& chunk : *chunks) {
      found.push_back({chunk.first_time, chunk.last_time, number, file, chunk, false});
      number += static_cast<std::uint32_t>(chunk.samples);
    }
  }
  const auto in_log = rest(day);
  if (!in_log) return fail(in_log.error());
  if (!in_log->empty()) found.push_back({in_log->front().time, in_log->back().time, number, 0, {}, true});
  return found;
}

/// Of the log; good until anybody asks the view for the log's samples.
Result<std::span<const Sample>> Scan::rest(history::Day day) {
  const auto all = view_.rest(place());
  if (!all) return all;
  return std::span(first_from(*all, day), first_from(*all, end_of(day)));
}

/// In order of their numbers, then by time: so of equal times the first that came stays the first.
Status Scan::read(Stretch stretch) {
  samples_.clear();
  std::sort(stretch.pieces.begin(), stretch.pieces.end(),
            [](const Piece& a, const Piece& b) { return a.number < b.number; });
  for (const Piece& piece : stretch.pieces) {
    if (piece.in_log) {
      const auto in_log = rest(day_);
      if (!in_log) return fail(in_log.error());
      take(*in_log, piece.number, {});
      continue;
    }
    const auto chunk = view_.chunks().read(piece.file, piece.chunk);
    if (!chunk) return fail(chunk.error());
    // What a damaged name's codes meant nobody knows; that the file is damaged is told.
    if (const auto codes = view_.codes(piece.file, place())) take(*chunk, piece.number, *codes);
  }
  if (!std::is_sorted(samples_.begin(), samples_.end(), earlier)) {
    std::stable_sort(samples_.begin(), samples_.end(), earlier);
  }
  if (selection_.newest_first) std::reverse(samples_.begin(), samples_.end());
  return {};
}

/// Those in the range, of samples in order of time.
void Scan::take(std::span<const Sample> samples, std::uint32_t number, const std::vector<double>& codes) {
  for (auto at = first_from(samples, selection_.from); at != samples.end() && at->time < selection_.to; ++at) {
    Sample sample = *at;
    sample.series = SeriesId{number + static_cast<std::uint32_t>(at - samples.begin())};
    if (!codes.empty() && sample.value >= 0 && sample.value < static_cast<double>(codes.size())) {
      sample.value = codes[static_cast<std::size_t>(sample.value)];
    }
    samples_.push_back(sample);
  }
}

}  // namespace tidegate::journal
