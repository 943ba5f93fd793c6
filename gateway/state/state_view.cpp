#include "gateway/state/state_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/state/state_file.h"

namespace tidegate::state {
namespace {

Timestamp time_of(std::int64_t micros) { return Timestamp{Micros{micros}}; }

/// One of a configuration's texts, empty where it has none of that name. False: it is not as it was written.
bool text_in(std::string_view texts, std::string_view seal, const std::string& name, std::string& found) {
  if (seal_of(texts) != seal) return false;
  const auto all = nlohmann::json::parse(texts);
  found = all.value(name, "");
  return true;
}

constexpr const char* kDeedColumns = "id, time, who, what, about, detail, seal";

/// An entry with its seal.
struct Link {
  StateView::Entry entry;
  std::string seal;
};

Link link_of(const journal::sql::Statement& row) {
  return {{row.integer(0),
           time_of(row.integer(1)),
           {std::string(row.text(2)), std::string(row.text(3)), std::string(row.text(4)), std::string(row.text(5))}},
          std::string(row.text(6))};
}

/// Of the first that is kept what was before it is gone, and nothing tells of that.
bool follows(const Link& link, const std::optional<Link>& before) {
  const auto& [id, time, deed, sealed] = link.entry;
  if (!before && id > 1) return true;
  const bool is_next = before ? id == before->entry.id + 1 : id == 1;
  return is_next && seal_of(before ? before->seal : "", time, deed) == link.seal;
}

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

Result<std::vector<StateView::Version>> StateView::versions(const std::string& text) {
  auto rows = connection_.prepare(
      "SELECT c.id, c.time, c.why, c.texts, c.seal, d.who, d.detail FROM configuration AS c "
      "LEFT JOIN deed AS d ON d.what = ? AND d.about = CAST(c.id AS TEXT) ORDER BY c.id");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(std::string_view(kConfigurationDeed));
  std::vector<Version> versions;
  std::optional<std::string> before;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return versions;
    std::string now;
    if (!text_in(rows->text(3), rows->text(4), text, now) || before == now) continue;
    before = std::move(now);
    const std::string why(rows->text(2));
    versions.push_back(
        {rows->integer(0), time_of(rows->integer(1)), std::string(rows->text(5)), why, note_of(why, rows->text(6))});
  }
}

Result<std::string> StateView::text_of(std::int64_t configuration, const std::string& text) {
  auto rows = connection_.prepare("SELECT texts, seal FROM configuration WHERE id = ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(configuration).step();
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::not_found, "there is no configuration {}, or it is forgotten", configuration);
  std::string found;
  if (text_in(rows->text(0), rows->text(1), text, found)) return found;
  return fail(Errc::corrupt, "configuration {} is damaged", configuration);
}

Status StateView::audit(const std::function<Status(const Entry&)>& entry) {
  auto rows = connection_.prepare(fmt::format("SELECT {} FROM deed ORDER BY id", kDeedColumns));
  if (!rows) return fail(std::move(rows.error()));
  std::optional<Link> before;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    Link now = link_of(*rows);
    now.entry.sealed = follows(now, before);
    if (Status status = entry(now.entry); !status) return status;
    before = std::move(now);
  }
}

Result<std::vector<StateView::Entry>> StateView::newest(std::size_t limit, std::optional<std::int64_t> before) {
  auto rows =
      connection_.prepare(fmt::format("SELECT {} FROM deed WHERE id < ? ORDER BY id DESC LIMIT ?", kDeedColumns));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(before.value_or(INT64_MAX), static_cast<std::int64_t>(limit) + 1);  // and what the last one follows
  std::vector<Entry> entries;
  std::optional<Link> last;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    std::optional<Link> now = *row ? std::optional(link_of(*rows)) : std::nullopt;
    if (last) {
      last->entry.sealed = follows(*last, now);
      entries.push_back(std::move(last->entry));
    }
    if (!now || entries.size() == limit) return entries;
    last = std::move(now);
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
