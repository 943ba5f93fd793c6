#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/tls.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// A certificate that is made here is valid for so long; Apple's systems take none for more than 825 days.
inline constexpr Micros kSelfSignedLasts = std::chrono::days(800);
/// So long before its end its successor is made.
inline constexpr Micros kSelfSignedRenewed = std::chrono::days(30);

struct SelfSigned {
  std::shared_ptr<const Tls> tls;
  std::vector<std::string> told;  ///< what had to be done and is to be known
};

/// A certificate that is made here is for at most so many names.
inline constexpr std::size_t kMostNames = 64;

/// A key (P-256) and a certificate that it signs for itself, in `folder`: `key.pem` and `certificate.pem`. What is
/// there and sound stays; what is not, as a start that was cut short may leave it, is made. The key outlives its
/// certificates. `names`: host names and addresses; one that is there is made anew where it lacks one of `wanted`, and
/// keeps its own names behind the others. `now`: none while the clock is not set, and no certificate is too old then.
/// Errc::io: the folder cannot be written.
Result<SelfSigned> self_signed(const std::filesystem::path& folder, const std::vector<std::string>& names,
                               std::optional<Timestamp> now, const std::vector<std::string>& wanted = {});

/// Is its certificate to be made anew?
bool due(const Tls& tls, std::optional<Timestamp> now);

/// Those that a certificate can have and this one has not.
std::vector<std::string> lacking(const Tls& tls, const std::vector<std::string>& names);

/// What browsers may reach this machine by: its names, and its addresses of this moment that are to stay.
std::vector<std::string> names_of_machine();

}  // namespace tidegate::dashboard
