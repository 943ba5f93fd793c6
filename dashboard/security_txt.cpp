#include "dashboard/security_txt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/core/time_text.h"

namespace tidegate::dashboard {

std::string contact_problem(std::string_view contact) {
  constexpr std::array<std::string_view, 3> kSchemes = {"mailto:", "https://", "tel:"};
  const bool known = std::any_of(kSchemes.begin(), kSchemes.end(), [&](std::string_view scheme) {
    return contact.starts_with(scheme) && contact.size() > scheme.size();
  });
  if (!known) return "write mailto:security@example.com, https://example.com/security or tel:+1-201-555-0123";
  const bool plain = std::all_of(contact.begin(), contact.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return plain ? "" : "a contact is a URI: no spaces, no letters beyond ASCII";
}

std::string security_txt(std::string_view contact, Timestamp released) {
  constexpr Micros kBelieved = std::chrono::days(365);
  return fmt::format("Contact: {}\nExpires: {}\n", contact, rfc3339_seconds(released + kBelieved));
}

}  // namespace tidegate::dashboard
