#include "dashboard/to_https.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "dashboard/web.h"
#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

constexpr int kHttpsPort = 443;

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char left, unsigned char right) { return std::tolower(left) == std::tolower(right); });
}

/// Of the one Host header; empty where there is none, or more than one.
std::string_view host_of(const std::vector<std::string_view>& lines) {
  std::string_view host;
  int count = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon == std::string_view::npos || !equal_but_for_case(lines[i].substr(0, colon), "host")) continue;
    host = trim(lines[i].substr(colon + 1));
    ++count;
  }
  return count == 1 ? host : std::string_view();
}

/// With the port, where the peer left the one of plain HTTP unsaid.
std::string with_port(std::string_view host, int port) {
  const bool said = host.rfind(':') != host.npos && host.back() != ']';
  return said || port == kHttpsPort ? std::string(host) : fmt::format("{}:{}", host, port);
}

/// As a name or an address is written: what goes back to the peer leads nowhere else.
bool plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return c < 0x80 &&
           (std::isalnum(c) != 0 || std::string_view("-._:[]").find(static_cast<char>(c)) != std::string_view::npos);
  });
}

bool shown_as_it_is(std::string_view target) {
  return target.starts_with('/') &&
         std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string to_https(std::string_view head, const HostAllowList& hosts, int port) {
  const auto lines = split(head, '\n');
  const auto words = split(trim(lines.front()), ' ');
  const std::string_view host = host_of(lines);
  if (host.empty()) return Web::refusal(400, "the request must have one Host header, and come by https");
  if (!plain_host(host) || !hosts.allows(host)) {
    return Web::refusal(421,
                        "this gateway does not answer to that name, and speaks https alone; use its IP address or "
                        "its .local name, or add the name to http.hosts");
  }
  if (words.size() != 3 || (words[0] != "GET" && words[0] != "HEAD")) {
    return Web::refusal(403,
                        "nothing was done: what is sent by plain http can be read and changed on its way; use "
                        "https");
  }
  const std::string_view target = shown_as_it_is(words[1]) ? words[1] : "/";
  // Not stored: who turns TLS off one day would have browsers that still go where it was.
  std::string out = fmt::format(
      "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://{}{}\r\nCache-Control: no-store\r\nContent-Length: 0\r\n"
      "Connection: close\r\n",
      with_port(host, port), target);
  for (const auto& [key, value] : security_headers()) out += fmt::format("{}: {}\r\n", key, value);
  return out + "\r\n";
}

}  // namespace tidegate::dashboard
