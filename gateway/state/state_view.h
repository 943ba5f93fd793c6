#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/types.h"
#include "gateway/state/state.h"

namespace tidegate::state {

/// state.db for reading, beside a gateway that runs. One thread.
class StateView {
 public:
  static Result<StateView> open(const std::filesystem::path& directory);

  struct Configuration {
    std::int64_t id = 0;
    Timestamp since;
    std::string why;
    bool sound = true;  ///< else its texts cannot be read any more
    Texts texts;
  };
  /// Oldest first.
  Result<std::vector<Configuration>> configurations();

  /// A configuration whose text of one name is not that of the one before it; the oldest of all too.
  struct Version {
    std::int64_t id = 0;
    Timestamp since;
    std::string who, why, note;  ///< nobody, where the audit does not go back so far
  };
  /// Oldest first; what is damaged is passed over.
  Result<std::vector<Version>> versions(const std::string& text);
  /// Empty where that configuration has no such text; Errc::not_found, Errc::corrupt.
  Result<std::string> text_of(std::int64_t configuration, const std::string& text);

  struct Entry {
    std::int64_t id = 0;
    Timestamp time;
    Deed deed;
    bool sealed = true;  ///< it is as it was written, and so is what came before it
  };
  /// All that is kept, oldest first. The first is not checked against the one that bounds took before it.
  Status audit(const std::function<Status(const Entry&)>& entry);

  /// Newest first, at most so many; those before an entry where it is given.
  Result<std::vector<Entry>> newest(std::size_t limit, std::optional<std::int64_t> before);

  /// How many of each are kept.
  struct Counts {
    std::uint64_t configurations = 0, entries = 0;
  };
  Result<Counts> counts();

  /// Every page, every seal; each damage in words.
  Status check(const std::function<void(std::string extent, std::string what)>& damage);

 private:
  explicit StateView(journal::sql::Connection connection) : connection_(std::move(connection)) {}
  journal::sql::Connection connection_;
};

}  // namespace tidegate::state
