#include "gateway/core/event.h"

#include <array>
#include <cstddef>

namespace tidegate {

namespace {

constexpr std::array<std::string_view, 4> kSeverities = {"info", "warning", "high", "critical"};
constexpr std::array<std::string_view, 5> kPhases = {"normal", "pending", "active", "clearing", "returned"};
constexpr std::array<std::string_view, 5> kHealths = {"starting", "up", "degraded", "down", "stopped"};

template <class Enum, std::size_t N>
std::optional<Enum> from_name(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(Severity severity) { return kSeverities.at(static_cast<std::size_t>(severity)); }
std::string_view name(Phase phase) { return kPhases.at(static_cast<std::size_t>(phase)); }
std::string_view name(SourceHealth health) { return kHealths.at(static_cast<std::size_t>(health)); }

std::optional<Severity> severity_from(std::string_view text) { return from_name<Severity>(kSeverities, text); }
std::optional<Phase> phase_from(std::string_view text) { return from_name<Phase>(kPhases, text); }
std::optional<SourceHealth> health_from(std::string_view text) { return from_name<SourceHealth>(kHealths, text); }

}  // namespace tidegate
