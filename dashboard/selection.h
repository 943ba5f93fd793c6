#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/core/pattern.h"
#include "gateway/core/types.h"
#include "gateway/journal/catalogue.h"

namespace tidegate::dashboard {

/// The series that a viewer wants to see. Viewers that want the same share one, and with it each tick's encoding. What
/// the patterns take in is worked out once a series, when it is first asked for. One thread.
class Selection {
 public:
  /// No pattern: all.
  explicit Selection(std::vector<Pattern> patterns = {}) : patterns_(std::move(patterns)) {}

  bool has(SeriesId series, const journal::Catalogue& catalogue);

 private:
  enum class Known : std::uint8_t { nothing, out, in };
  const std::vector<Pattern> patterns_;
  std::vector<Known> known_;  ///< by series
};

/// What two requests have in common that want the same.
std::string key_of(const std::vector<Pattern>& patterns);

}  // namespace tidegate::dashboard
