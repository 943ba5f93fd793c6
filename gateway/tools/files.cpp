#include "gateway/tools/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gateway/state/state_view.h"

namespace tidegate::tools {
namespace {

namespace fs = std::filesystem;

/// What a seal tells of cannot be salvaged: it is as it is.
Result<journal::Checked> check_state(const fs::path& file, const journal::CheckReport& report) {
  journal::Checked checked;
  const auto tell = [&](std::string extent, std::string what) {
    ++checked.damages;
    const bool sealed = !extent.empty();
    report.damage({file, std::move(extent), std::move(what), sealed});
  };
  auto view = state::StateView::open(file.parent_path());
  const Status status = view ? view->check(tell) : fail(view.error());
  if (!status && status.error().code != Errc::corrupt) return fail(status.error());
  if (!status) tell("", status.error().text);
  return checked;
}

}  // namespace

Result<std::vector<StoreFile>> store_files(const fs::path& store) {
  const fs::path log = store / "journal.db";
  std::vector<StoreFile> files = {{log, [log](const auto& report) { return journal::check_log(log, report); }}};
  for (const auto& day : journal::history::day_files(store / "history")) {
    files.push_back({day.path, [day, log](const auto& report) { return journal::check_day(day, log, report); }});
  }
  for (const auto& year : journal::history::year_files(store / "history")) {
    files.push_back({year.path, [year](const auto& report) { return journal::check_year(year.path, report); }});
  }
  std::error_code error;
  const bool is_store = files.size() > 1 || fs::exists(log, error);
  if (const fs::path state = store / state::kFileName; is_store && fs::exists(state, error)) {
    files.push_back({state, [state](const auto& report) { return check_state(state, report); }});
  }
  if (is_store) return files;
  if (error) return fail(Errc::io, "{} cannot be looked at: {}", store.string(), error.message());
  return fail(Errc::not_found, "{} holds no journal.db and no history; --data names the gateway's storage.path",
              store.string());
}

std::string in_words(const journal::Damage& damage, const fs::path& store) {
  const std::string file = damage.file.lexically_relative(store).string();
  return damage.extent.empty() ? fmt::format("{}: {}", file, damage.what)
                               : fmt::format("{}: {}: {}", file, damage.extent, damage.what);
}

void hand_over(const fs::path& folder, const fs::path& store) {
  struct stat owner {};
  if (::geteuid() != 0 || ::stat(store.c_str(), &owner) != 0 || owner.st_uid == 0) return;
  const auto give = [&](const fs::path& path) {
    static_cast<void>(::lchown(path.c_str(), owner.st_uid, owner.st_gid) == 0);
  };
  give(folder);
  std::error_code error;  // a gateway that runs removes files
  for (fs::recursive_directory_iterator at(folder, error), end; at != end; at.increment(error)) give(at->path());
}

}  // namespace tidegate::tools
