#include "gateway/tools/snapshots.h"

#include <array>
#include <optional>
#include <set>
#include <vector>

#include "gateway/core/time_text.h"
#include "gateway/journal/reader.h"
#include "gateway/tools/samples.h"

namespace tidegate::tools {
namespace {

constexpr std::size_t kMost = 1'000'000;

Result<std::vector<journal::StoredEvent>> all_snapshots(journal::StoreView& view) {
  return journal::read_events(view.log(), {.limit = kMost, .snapshots_only = true});
}

/// Those whose samples are still there.
Result<std::set<std::int64_t>> held(journal::StoreView& view) {
  std::set<std::int64_t> held;
  const auto any = journal::has_snapshots(view.log());
  if (!any) return fail(any.error());
  if (!*any) return held;
  auto rows = view.log().prepare("SELECT seq FROM snapshot");
  if (!rows) return fail(std::move(rows.error()));
  Result<bool> row = rows->step();
  for (; row && *row; row = rows->step()) held.insert(rows->integer(0));
  if (!row) return fail(row.error());
  return held;
}

Status write(std::span<const journal::StoredEvent> all, const std::set<std::int64_t>& held, Rows& rows) {
  constexpr std::array<std::string_view, 9> kColumns = {"id",     "alert",   "raised",   "from", "until",
                                                        "series", "samples", "left_out", "kept"};
  if (Status status = rows.columns(kColumns); !status) return status;
  for (const journal::StoredEvent& stored : all) {
    const auto& snapshot = std::get<Snapshot>(stored.event.body);
    const std::string raised = rfc3339(snapshot.breach), from = rfc3339(snapshot.from), until = rfc3339(snapshot.until);
    const std::string_view there = held.contains(number(stored.seq)) ? "yes" : "no";
    const std::array<Value, 9> cells = {number(stored.seq),
                                        std::string_view(snapshot.alert),
                                        std::string_view(raised),
                                        std::string_view(from),
                                        std::string_view(until),
                                        std::int64_t{snapshot.series},
                                        std::int64_t{snapshot.samples},
                                        static_cast<std::int64_t>(snapshot.left_out),
                                        there};
    if (Status status = rows.row(cells); !status) return status;
  }
  return rows.end();
}

/// Where each of the log's ids stands in the view.
std::vector<std::optional<std::size_t>> places_of(const journal::StoreView& view, std::span<const Sample> samples) {
  std::vector<std::optional<std::size_t>> places;
  for (const Sample& sample : samples) {
    if (index(sample.series) >= places.size()) places.resize(index(sample.series) + 1);
  }
  for (std::size_t place = 0; place < view.series().size(); ++place) {
    if (const std::size_t id = index(view.series()[place].id); id < places.size()) places[id] = place;
  }
  return places;
}

Status write(const journal::StoreView& view, std::span<const Sample> samples, Rows& rows) {
  if (Status status = rows.columns(kSampleColumns); !status) return status;
  const auto places = places_of(view, samples);
  for (const Sample& sample : samples) {
    const auto& place = places[index(sample.series)];
    if (!place) continue;  // its name is lost, which `store check` tells
    if (Status status = write_sample(view.series()[*place], sample, rows); !status) return status;
  }
  return rows.end();
}

}  // namespace

Result<int> list_snapshots(const SnapshotsOptions& options, const Surroundings& surroundings) {
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  const auto all = all_snapshots(**view);
  if (!all) return fail(all.error());
  const auto there = held(**view);
  if (!there) return fail(there.error());
  Output output;
  return finish(write(*all, *there, *Rows::make(options.format, output)), output);
}

Result<int> show_snapshot(const SnapshotOptions& options, const Surroundings& surroundings) {
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  const Seq seq{options.id};
  const auto found = journal::read_events((*view)->log(), {.after = prev(seq), .limit = 1, .snapshots_only = true});
  if (!found) return fail(found.error());
  if (found->empty() || found->front().seq != seq) {
    return fail(Errc::not_found, "there is no snapshot {}; `tidegate snapshots list` lists them", options.id);
  }
  const auto samples = journal::read_snapshot((*view)->log(), seq);
  if (!samples) return fail(samples.error());
  Output output;
  return finish(write(**view, *samples, *Rows::make(options.format, output)), output);
}

}  // namespace tidegate::tools
