#include <fmt/format.h>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/inventory.h"
#include "gateway/journal/scan.h"
#include "gateway/state/state_view.h"
#include "gateway/tools/output.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"
#include "gateway/tools/store.h"

namespace tidegate::tools {
namespace {

using journal::Inventory;

std::string a_sample(std::uint64_t bytes, std::uint64_t samples) {
  if (samples == 0) return "";
  return fmt::format(", {} bytes a sample", short_number(static_cast<double>(bytes) / static_cast<double>(samples), 3));
}

std::string tier_text(const char* name, const Inventory::Tier& tier, std::string_view part, std::string_view parts) {
  if (tier.files == 0) return fmt::format("{:<9} none\n", name);
  std::string text = fmt::format("{:<9} {} in {}: {}", name, bytes_text(tier.file_bytes),
                                 counted(tier.files, "file", "files"), counted(tier.parts, part, parts));
  if (tier.samples > 0) {
    text += fmt::format(", {}{}", counted(tier.samples, "sample", "samples"), a_sample(tier.data_bytes, tier.samples));
  }
  text += '\n';
  if (tier.oldest) text += fmt::format("{:<9} {} to {}\n", "", rfc3339(*tier.oldest), rfc3339(*tier.newest));
  return text;
}

std::string log_text(const Inventory& all) {
  std::string text = tier_text("log", all.log, "batch", "batches");
  text += fmt::format("{:<9} batches {} to {}, in history up to {}; {} not yet in history\n", "", number(all.first),
                      number(all.last), number(all.compacted), counted(all.rest_samples, "sample", "samples"));
  text += fmt::format("{:<9} {}, {} of {}, {}, {} free within the file\n", "", counted(all.events, "event", "events"),
                      bytes_text(all.snapshot_bytes), counted(all.snapshots, "snapshot", "snapshots"),
                      counted(all.dead_letters, "dead letter", "dead letters"), bytes_text(all.free_bytes));
  return text;
}

/// state.db: its size, and what it keeps in words. Nothing to count where there is none; one that cannot be read is for
/// `store check` to judge.
struct Records {
  std::uint64_t bytes = 0;
  std::string text = "none";
};

Records records_of(const std::filesystem::path& store) {
  Records records;
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(store / state::kFileName, missing);
  if (missing) return records;
  records.bytes = bytes;
  auto view = state::StateView::open(store);
  const auto counts = view ? view->counts() : fail(view.error());
  records.text = fmt::format("{} in 1 file: ", bytes_text(bytes));
  records.text +=
      counts ? fmt::format("{}, {} of the audit", counted(counts->configurations, "configuration", "configurations"),
                           counted(counts->entries, "entry", "entries"))
             : counts.error().text;
  return records;
}

std::string total_text(const Inventory& all, const Records& records, std::size_t series) {
  const std::uint64_t bytes = all.log.file_bytes + all.history.file_bytes + all.rollups.file_bytes + records.bytes;
  const std::uint64_t samples = all.history.samples + all.rest_samples;
  return fmt::format("{:<9} {}: {} of {}{}\n", "all", bytes_text(bytes), counted(samples, "sample", "samples"),
                     counted(series, "series", "series"), a_sample(bytes, samples));
}

std::string cursors_text(const Inventory& all) {
  std::string text;
  for (const Inventory::Cursor& cursor : all.cursors) {
    text += fmt::format("{:<9} {}: at batch {}, ", text.empty() ? "cursors" : "", printable(cursor.name),
                        number(cursor.at));
    text += cursor.batches == 0 ? "has all\n"
                                : fmt::format("{} with {} behind\n", counted(cursor.batches, "batch", "batches"),
                                              counted(cursor.samples, "sample", "samples"));
  }
  return text;
}

/// The newest value of a series, with what it is called here.
Result<std::optional<double>> newest(journal::StoreView& view, std::string_view name, std::stop_token stop) {
  const auto place = view.find(name);
  if (!place) return std::optional<double>{};
  journal::Scan scan(view, {.series = {*place}, .newest_first = true}, std::move(stop));
  const auto portion = scan.next();
  if (!portion) return fail(portion.error());
  if (portion->samples.empty()) return std::optional<double>{};
  return std::optional(portion->samples.front().value);
}

/// What the gateway last said about it, where a source of type `self` records that.
Result<std::string> wear_text(journal::StoreView& view, const std::stop_token& stop) {
  const auto bytes = newest(view, "self/storage/written_bytes_per_sample", stop);
  if (!bytes) return fail(bytes.error());
  const auto life = newest(view, "self/storage/card_life", stop);
  if (!life) return fail(life.error());
  if (*bytes && **bytes == 0) return fmt::format("{:<9} not measured yet: that takes some minutes\n", "wear");
  if (!*bytes) return fmt::format("{:<9} not recorded; a source of type self records it\n", "wear");
  std::string text =
      fmt::format("{:<9} {} bytes written to the card a stored sample", "wear", short_number(**bytes, 3));
  if (*life && **life > 0) {
    text += fmt::format("; at this rate it lasts {} years", short_number(**life / (365.25 * 86'400), 2));
  }
  return text + '\n';
}

}  // namespace

Result<int> store_stats(const Surroundings& surroundings) {
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  const auto all = journal::take_inventory(**view, surroundings.stop);
  if (!all) return fail(all.error());
  const auto wear = wear_text(**view, surroundings.stop);
  if (!wear) return fail(wear.error());
  std::string text = surroundings.store.string() + '\n';
  const Records records = records_of(surroundings.store);
  text += total_text(*all, records, (*view)->series().size());
  text += log_text(*all);
  text += tier_text("history", all->history, "chunk", "chunks");
  text += tier_text("rollups", all->rollups, "series and day", "series and days");
  text += fmt::format("{:<9} {}\n", "records", records.text);
  text += cursors_text(*all) + *wear;
  Output output;
  Status status = output.write(text);
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  return verdict((*view)->reading());
}

}  // namespace tidegate::tools
