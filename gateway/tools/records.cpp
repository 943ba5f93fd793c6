#include "gateway/tools/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/core/time_text.h"
#include "gateway/state/state_view.h"
#include "gateway/tools/output.h"

namespace tidegate::tools {
namespace {

using state::StateView;

std::string files_of(const StateView::Configuration& configuration) {
  if (!configuration.sound) return "(damaged)";
  std::string names;
  for (const auto& [name, text] : configuration.texts) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Status write(const std::vector<StateView::Configuration>& all, Rows& rows) {
  constexpr std::array<std::string_view, 4> kColumns = {"number", "since", "came", "files"};
  if (Status status = rows.columns(kColumns); !status) return status;
  for (const auto& one : all) {
    const std::string since = rfc3339_seconds(one.since);
    const std::string files = files_of(one);
    const std::array<Value, 4> cells = {one.id, std::string_view(since), std::string_view(one.why),
                                        std::string_view(files)};
    if (Status status = rows.row(cells); !status) return status;
  }
  return rows.end();
}

Status write_audit(StateView& view, Rows& rows, bool& sealed) {
  constexpr std::array<std::string_view, 6> kColumns = {"number", "time", "who", "what", "about", "detail"};
  if (Status status = rows.columns(kColumns); !status) return status;
  Status status = view.audit([&](const StateView::Entry& entry) {
    if (!entry.sealed) {
      sealed = false;
      fmt::print(
          stderr,
          "entry {} does not follow from the one before it: one of them was changed, or some between are missing\n",
          entry.id);
    }
    const std::string time = rfc3339_seconds(entry.time);
    const std::array<Value, 6> cells = {entry.id,
                                        std::string_view(time),
                                        std::string_view(entry.deed.who),
                                        std::string_view(entry.deed.what),
                                        std::string_view(entry.deed.about),
                                        std::string_view(entry.deed.detail)};
    return rows.row(cells);
  });
  return status ? rows.end() : status;
}

}  // namespace

Result<int> config_log(const RecordsOptions& options, const Surroundings& surroundings) {
  auto view = StateView::open(surroundings.store);
  if (!view) return fail(std::move(view.error()));
  const auto all = view->configurations();
  if (!all) return fail(all.error());
  Output output;
  const auto done = finish(write(*all, *Rows::make(options.format, output)), output);
  const bool sound = std::all_of(all->begin(), all->end(), [](const auto& one) { return one.sound; });
  return done && !sound ? kDamaged : done;
}

Result<int> config_show(const ShowOptions& options, const Surroundings& surroundings) {
  auto view = StateView::open(surroundings.store);
  if (!view) return fail(std::move(view.error()));
  const auto all = view->configurations();
  if (!all) return fail(all.error());
  const auto one = options.number == 0 && !all->empty()
                       ? all->end() - 1
                       : std::find_if(all->begin(), all->end(), [&](const auto& c) { return c.id == options.number; });
  if (one == all->end()) {
    return fail(Errc::not_found, "there is no configuration {}; `tidegate config log` lists them", options.number);
  }
  if (!one->sound) return fail(Errc::corrupt, "configuration {} is damaged", one->id);
  Output output;
  Status status;
  for (const auto& [name, text] : one->texts) {
    const std::string_view end = text.ends_with('\n') ? "" : "\n";
    if (status) status = output.write(fmt::format("# {}\n{}{}", name, text, end));
  }
  return finish(std::move(status), output);
}

Result<int> audit(const RecordsOptions& options, const Surroundings& surroundings) {
  auto view = StateView::open(surroundings.store);
  if (!view) return fail(std::move(view.error()));
  Output output;
  bool sealed = true;
  const auto done = finish(write_audit(*view, *Rows::make(options.format, output), sealed), output);
  return done && !sealed ? kDamaged : done;
}

}  // namespace tidegate::tools
