#include "gateway/journal/store_view.h"

#include <algorithm>

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/query.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/restore.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

/// Above every number that a journal gives (storage.max_series ends there): of series that are not in the log.
constexpr std::uint32_t kNotInLog = 1'000'000;

Result<sql::Connection> open_log(const fs::path& directory) {
  const fs::path file = directory / "journal.db";
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return fail(Errc::not_found, "{}: there is no such folder; --data names the gateway's storage.path",
                directory.string());
  }
  if (!fs::exists(file, error)) {
    if (error) return fail(Errc::io, "{} cannot be looked for: {}", file.string(), error.message());
    if (fs::is_directory(directory / "history", error)) return open_empty();
    return fail(Errc::not_found, "{} is not there; --data names the gateway's storage.path", file.string());
  }
  auto log = sql::Connection::open(file, sql::Connection::Access::read);
  if (log || log.error().code != Errc::io) return log;
  return fail(Errc::io, "{}; root and the gateway's user may read it", log.error().text);
}

void add(std::map<std::string, Catalogue::Entry, std::less<>>& names, const Catalogue::Entry& entry) {
  const auto [found, is_new] = names.emplace(entry.name, entry);
  if (is_new) {
    found->second.id = SeriesId{kNotInLog + static_cast<std::uint32_t>(names.size())};
    return;
  }
  std::vector<std::string>& labels = found->second.labels;
  for (const std::string& text : entry.labels) {
    if (std::find(labels.begin(), labels.end(), text) == labels.end()) labels.push_back(text);
  }
}

}  // namespace

Result<std::unique_ptr<StoreView>> StoreView::open(const fs::path& directory, std::size_t most_samples) {
  auto view = std::unique_ptr<StoreView>(new StoreView(directory));
  auto names = view->read_log_state();
  if (!names && names.error().code == Errc::corrupt) {
    return fail(Errc::corrupt, "{}; `tidegate store check` tells more, and history can be read without journal.db",
                names.error().text);
  }
  if (!names) return fail(std::move(names.error()));
  view->chunks_.emplace(view->history_directory(), view->reading_);
  view->read_all_names(*names);
  std::vector<std::size_t> places;
  for (auto& [name, entry] : *names) {
    if (const std::size_t id = index(entry.id); id < kNotInLog) {
      places.resize(std::max(places.size(), id + 1));
      places[id] = view->series_.size();
    }
    view->series_.push_back(std::move(entry));
  }
  const Seq after = std::max(view->through_, prev(view->first_));
  view->rest_.emplace(*view->log_, after, view->last_, std::move(places), view->reading_, most_samples);
  return view;
}

Result<StoreView::Names> StoreView::read_log_state() {
  auto log = open_log(directory_);
  if (!log) return fail(std::move(log.error()));
  log_ = std::move(*log);
  auto snapshot = sql::Transaction::snapshot(*log_);
  if (!snapshot) return fail(std::move(snapshot.error()));
  auto compacted = history::compacted(*log_);
  if (!compacted) return fail(std::move(compacted.error()));
  std::tie(epoch_, through_) = std::move(*compacted);
  const std::pair<const char*, Seq*> seqs[] = {{"SELECT min(seq) FROM batch", &first_},
                                               {"SELECT max(seq) FROM batch", &last_}};
  for (const auto& [query, seq] : seqs) {
    const auto found = log_->number(query);
    if (!found) return fail(found.error());
    *seq = Seq{*found};
  }
  auto series = read_series(*log_);
  if (!series) return fail(std::move(series.error()));
  Names names;
  for (Catalogue::Entry& entry : *series) {
    const std::string name = entry.name;
    names.emplace(name, std::move(entry));
  }
  return names;
}

/// What a file has of this journal, the journal knows; what it has of others is read from the file.
Status StoreView::read_foreign_names(std::size_t file, Names& names) {
  auto connection = history::open_to_read(chunks_->files()[file].path);
  if (!connection) return connection.error().code == Errc::not_found ? Status{} : fail(std::move(connection.error()));
  auto foreign = connection->prepare("SELECT count(*) FROM round WHERE epoch <> ?");
  if (!foreign) return fail(std::move(foreign.error()));
  const Result<bool> row = foreign->bind(epoch_).step();
  if (!row) return fail(row.error());
  if (foreign->integer(0) == 0) return {};
  Foreign& of_file = foreign_[file];
  const auto all = history::all_series(*connection);
  if (!all) return fail(all.error());
  of_file.whole = all->damages.empty();
  for (const auto& [number, entry] : all->sound) {
    add(names, entry);
    if (entry.info.kind == SeriesKind::state) of_file.labels.emplace(entry.name, entry.labels);
  }
  return of_file.whole ? Status{} : fail(Errc::corrupt, "{}", all->damages.front());
}

void StoreView::read_all_names(Names& names) {
  for (std::size_t file = 0; file < chunks_->files().size(); ++file) {
    if (!read_foreign_names(file, names)) reading_.damaged_files.insert(chunks_->files()[file].path.string());
  }
  for (const history::YearFileName& name : history::year_files(history_directory())) {
    auto year = history::open_to_read(name.path);
    if (!year) continue;  // retention took it
    const auto all = history::all_series(*year);
    if (!all || !all->damages.empty()) reading_.damaged_files.insert(name.path.string());
    if (!all) continue;
    for (const auto& [number, entry] : all->sound) add(names, entry);
  }
}

std::optional<std::size_t> StoreView::find(std::string_view name) const {
  const auto found =
      std::lower_bound(series_.begin(), series_.end(), name,
                       [](const Catalogue::Entry& entry, std::string_view to) { return entry.name < to; });
  if (found == series_.end() || found->name != name) return std::nullopt;
  return static_cast<std::size_t>(found - series_.begin());
}

std::vector<std::size_t> StoreView::matching(std::span<const Pattern> patterns) const {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < series_.size(); ++place) {
    const auto matches = [&](const Pattern& pattern) { return pattern.matches(series_[place].name); };
    if (std::any_of(patterns.begin(), patterns.end(), matches)) places.push_back(place);
  }
  return places;
}

Result<std::vector<SeriesHistory>> StoreView::history(std::span<const std::size_t> places, Timestamp from, Timestamp to,
                                                      std::size_t max_points) {
  std::vector<history::SeriesRef> asked;
  for (const std::size_t place : places) asked.push_back({series_[place].id, series_[place].name});
  history::Unreadable unreadable;
  auto found = history::read_history({*log_, history_directory()}, {asked, from, to, max_points}, unreadable);
  reading_.damaged += unreadable.chunks;
  for (const fs::path& file : unreadable.files) reading_.damaged_files.insert(file.string());
  return found;
}

std::optional<std::vector<double>> StoreView::codes(std::size_t file, std::size_t place) const {
  std::vector<double> codes;
  const auto foreign = foreign_.find(file);
  if (foreign == foreign_.end() || series_[place].info.kind != SeriesKind::state) return codes;
  const auto own = foreign->second.labels.find(series_[place].name);
  if (own == foreign->second.labels.end()) return foreign->second.whole ? std::optional(codes) : std::nullopt;
  const std::vector<std::string>& labels = series_[place].labels;
  for (const std::string& text : own->second) {
    codes.push_back(static_cast<double>(std::find(labels.begin(), labels.end(), text) - labels.begin()));
  }
  return codes;
}

}  // namespace tidegate::journal
