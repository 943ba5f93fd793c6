#include "dashboard/guard.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool ip_literal(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), address.data()) == 1;
  }
  return ::inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
}

/// Without its port; empty where that is none.
std::string_view host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon == host.npos || (bracket != host.npos && colon < bracket)) return host;
  return digits(host.substr(colon + 1)) ? host.substr(0, colon) : std::string_view();
}

bool under(std::string_view name, std::string_view domain) {
  return name.size() > domain.size() + 1 && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.';
}

}  // namespace

HostAllowList::HostAllowList(std::vector<std::string> names) {
  for (const auto& name : names) {
    if (!name.empty()) names_.push_back(lower(name));
  }
}

bool HostAllowList::allows(std::string_view host) const {
  if (host.find('\0') != host.npos) return false;
  std::string name = lower(host_name(host));
  if (ip_literal(name)) return true;
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name == "localhost" || under(name, "localhost") || under(name, "local") ||
         std::find(names_.begin(), names_.end(), name) != names_.end();
}

bool same_origin(std::string_view origin, std::string_view host) {
  const auto scheme = origin.find("://");
  if (scheme == origin.npos) return false;
  const auto name = origin.substr(0, scheme);
  return (name == "http" || name == "https") && !host.empty() && lower(origin.substr(scheme + 3)) == lower(host);
}

bool json_content_type(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';')))) == "application/json";
}

std::vector<std::string> machine_names() {
  std::array<char, HOST_NAME_MAX + 1> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return {};
  const std::string name = buffer.data();
  return {name, name.substr(0, name.find('.'))};
}

}  // namespace tidegate::dashboard
