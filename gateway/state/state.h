#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/result.h"
#include "gateway/journal/sqlite.h"

/// state.db: what people decided, beside what the sensors said. Every configuration that the gateway ran with, and who
/// did what. Few, small writes, each on disk before it is acted on; a file of its own, so that neither its damage nor
/// its growth touches the journal.
namespace tidegate::state {

inline constexpr const char* kFileName = "state.db";

/// Who did what nobody asked for.
inline constexpr std::string_view kItself = "the gateway";

/// The texts of a configuration by name, as config::load() gives them.
using Texts = std::map<std::string, std::string>;

/// One line of the audit.
struct Deed {
  std::string who;     ///< a name as given, or an address; "the gateway" for what it did itself
  std::string what;    ///< one word: "acknowledge", "shelve", "unshelve", "configuration", "log in"
  std::string about;   ///< an alert's id, a configuration's number
  std::string detail;  ///< in the words of who did it
};

/// What is kept of each; beyond it the oldest go.
struct Bounds {
  std::size_t configurations = 200;
  std::size_t configuration_bytes = 32u << 20;  ///< of all; the newest stays, whatever its size
  std::size_t deeds = 100'000;
};

/// The one writer. The caller holds the data directory's lock (journal/lock.h). Any thread.
class State {
 public:
  /// Makes the file where it is missing. A damaged one is set aside as state.db.corrupt-<time>, and what can be read of
  /// it is in the new one: notice() tells. Errc::invalid: a newer program's, or another kind of file.
  static Result<std::unique_ptr<State>> open(const std::filesystem::path& directory, const Clock& clock,
                                             Bounds bounds = {});

  /// The number of this configuration, from 1 on: a new one where its texts are not those of the newest. `why` is how
  /// it came: "started", "reloaded", "rules saved"; `note` is in the words of who did it.
  Result<std::int64_t> adopt(const Texts& texts, std::string_view why, std::string_view who = kItself,
                             std::string_view note = {});
  Status record(const Deed& deed);

  /// What others keep in the file. `work` is one transaction, with the line of the audit that tells of it where it has
  /// a deed; it may ask nothing of State.
  using Work = std::function<Status(journal::sql::Connection&)>;
  Status change(const Deed& deed, const Work& work);
  Status keep(const Work& work);
  Status look(const Work& work);

  /// In words, what was wrong with the file when it was opened; or empty.
  const std::string& notice() const { return notice_; }

 private:
  State(journal::sql::Connection connection, const Clock& clock, Bounds bounds, std::string notice)
      : connection_(std::move(connection)), clock_(clock), bounds_(bounds), notice_(std::move(notice)) {}
  Status append(const Deed& deed);
  Status forget_configurations();
  Status forget_deeds();

  std::mutex mutex_;
  journal::sql::Connection connection_;
  const Clock& clock_;
  const Bounds bounds_;
  const std::string notice_;
};

}  // namespace tidegate::state
