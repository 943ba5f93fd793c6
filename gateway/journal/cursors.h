#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal {

/// The named cursors in memory, and which of them have moved since they were saved. Any thread.
class Cursors {
 public:
  using Positions = std::vector<std::pair<std::string, Seq>>;

  std::optional<Seq> find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = cursors_.find(name);
    if (found == cursors_.end()) return std::nullopt;
    return found->second.at;
  }
  /// One that is on disk there.
  void add(std::string_view name, Seq at) {
    const std::lock_guard lock(mutex_);
    cursors_.emplace(name, Cursor{at, at});
  }
  Status advance(std::string_view name, Seq to) {
    const std::lock_guard lock(mutex_);
    const auto found = cursors_.find(name);
    if (found == cursors_.end())
      return fail(Errc::not_found, "there is no cursor '{}' yet: ask its position first", name);
    found->second.at = std::max(found->second.at, to);
    return {};
  }
  /// The least position that is on disk: what no cursor needs any more, whatever happens. Nothing without cursors.
  std::optional<Seq> least_saved() const {
    const std::lock_guard lock(mutex_);
    std::optional<Seq> least;
    for (const auto& [name, cursor] : cursors_) least = least ? std::min(*least, cursor.saved) : cursor.saved;
    return least;
  }
  bool is_saved(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = cursors_.find(name);
    return found != cursors_.end() && found->second.at == found->second.saved;
  }
  Positions all() const {
    const std::lock_guard lock(mutex_);
    Positions all;
    for (const auto& [name, cursor] : cursors_) all.emplace_back(name, cursor.at);
    return all;
  }
  Positions moved() const {
    const std::lock_guard lock(mutex_);
    Positions moved;
    for (const auto& [name, cursor] : cursors_) {
      if (cursor.at != cursor.saved) moved.emplace_back(name, cursor.at);
    }
    return moved;
  }
  void saved(const Positions& positions) {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, at] : positions) cursors_.find(name)->second.saved = at;
  }

 private:
  struct Cursor {
    Seq at, saved;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Cursor, std::less<>> cursors_;
};

}  // namespace tidegate::journal
