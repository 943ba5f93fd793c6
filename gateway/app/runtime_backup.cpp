// A copy of the store for somebody who takes it away.

#include "gateway/app/runtime.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/backup.h"
#include "gateway/tools/progress.h"

namespace tidegate::app {

Result<std::filesystem::path> Runtime::back_up(const std::string& who, const std::function<bool()>& goes_on) {
  const std::filesystem::path& store = settings_.storage.directory;
  const std::filesystem::path folder = store / "backup.sent";
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);  // of a gateway that was killed
  std::stop_source stop;
  const journal::CopyReport report{[&](const std::string&, std::uint64_t, std::uint64_t) {
                                     if (!goes_on()) stop.request_stop();
                                   },
                                   stop.get_token()};
  const auto made = journal::back_up(store, folder, ground_->clock.now(), report);
  if (!made) return fail(made.error());
  audit({who, "backup", rfc3339_seconds(made->committed), tools::bytes_text(made->bytes())});
  return folder;
}

}  // namespace tidegate::app
