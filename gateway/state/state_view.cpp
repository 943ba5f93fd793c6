#include "gateway/state/state_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/state/state_file.h"

namespace tidegate::state {
namespace {

Timestamp time_of(std::int64_t micros) { return Timestamp{Micros{micros}}; }

}  // namespace

Result<StateView> StateView::open(const std::filesystem::path& directory) {
  auto connection = open_as_guest(directory / kFileName);
  if (!connection) return fail(std::move(connection.error()));
  return StateView(std::move(*connection));
}

Result<std::vector<StateView::Configuration>> StateView::configurations() {
  auto rows = connection_.prepare("SELECT id, time, why, texts, seal FROM configuration ORDER BY id");
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Configuration> all;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return all;
    Configuration one{rows->integer(0), time_of(rows->integer(1)), std::string(rows->text(2))};
    one.sound = seal_of(rows->text(3)) == rows->text(4);
    if (one.sound) one.texts = nlohmann::json::parse(rows->text(3)).get<Texts>();
    all.push_back(std::move(one));
  }
}

Status StateView::audit(const std::function<Status(const Entry&)>& entry) {
  auto rows = connection_.prepare("SELECT id, time, who, what, about, detail, seal FROM deed ORDER BY id");
  if (!rows) return fail(std::move(rows.error()));
  std::string before;
  for (std::int64_t expected = 0;;) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    Entry now{rows->integer(0),
              time_of(rows->integer(1)),
              {std::string(rows->text(2)), std::string(rows->text(3)), std::string(rows->text(4)),
               std::string(rows->text(5))}};
    const bool is_first = expected == 0 && now.id > 1;  // what was before it is gone, and nothing tells of that
    now.sealed = is_first || (now.id == std::max<std::int64_t>(expected, 1) &&
                              seal_of(before, now.time, now.deed) == rows->text(6));
    before = rows->text(6);
    expected = now.id + 1;
    if (Status status = entry(now); !status) return status;
  }
}

Result<StateView::Counts> StateView::counts() {
  const auto configurations = connection_.number("SELECT count(*) FROM configuration");
  if (!configurations) return fail(configurations.error());
  const auto entries = connection_.number("SELECT count(*) FROM deed");
  if (!entries) return fail(entries.error());
  return Counts{static_cast<std::uint64_t>(*configurations), static_cast<std::uint64_t>(*entries)};
}

Status StateView::check(const std::function<void(std::string extent, std::string what)>& damage) {
  const auto pages = connection_.text("PRAGMA integrity_check");
  if (!pages) return fail(pages.error());
  if (*pages != "ok") damage("", *pages);
  const auto all = configurations();
  if (!all) return fail(all.error());
  for (const Configuration& one : *all) {
    if (!one.sound) damage(fmt::format("configuration {}", one.id), "it is not as it was written");
  }
  return audit([&](const Entry& entry) -> Status {
    if (!entry.sealed) damage("audit", fmt::format("entry {} does not follow from the one before it", entry.id));
    return {};
  });
}

}  // namespace tidegate::state
