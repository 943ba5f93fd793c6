#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

  struct Entry {
    std::int64_t id = 0;
    Timestamp time;
    Deed deed;
    bool sealed = true;  ///< it is as it was written, and so is what came before it
  };
  /// All that is kept, oldest first. The first is not checked against the one that bounds took before it.
  Status audit(const std::function<Status(const Entry&)>& entry);

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
