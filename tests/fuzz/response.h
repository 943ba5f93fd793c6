#pragma once

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dashboard/web.h"

namespace tidegate::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Of the one header of that name, as responses spell it; empty where there is none.
inline std::string_view header(std::string_view head, std::string_view name) {
  const std::string begin = "\r\n" + std::string(name) + ": ";
  const auto at = head.find(begin);
  if (at == head.npos) return {};
  require(head.find(begin, at + 1) == head.npos);
  const auto value = head.substr(at + begin.size());
  return value.substr(0, value.find('\r'));
}

/// Holds a response to what each has to be: a head of plain text that nothing of the request has broken up, the
/// security headers once each, a body as long as is said, and no fault of the gateway's. Its status. A HEAD that could
/// not be understood has a body after all: then the connection closes, so nobody takes it for the next response.
inline int require_response(std::string_view bytes, bool to_head, bool closes) {
  const auto end = bytes.find("\r\n\r\n");
  require(end != bytes.npos && bytes.starts_with("HTTP/1.1 "));
  const auto head = bytes.substr(0, end + 2), body = bytes.substr(end + 4);
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\r') require(head[i + 1] == '\n');
    if (head[i] == '\n') require(head[i - 1] == '\r');
    require(head[i] >= ' ' || head[i] == '\r' || head[i] == '\n');  // char is signed where the fuzzers run
  }
  for (const auto& [name, value] : dashboard::security_headers()) require(header(head, name) == value);
  require(head.find("Access-Control-") == head.npos);
  int status = 0;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  require(status >= 200 && status < 600 && status != 500);
  if (status == 204 || status == 304) {
    require(body.empty());
  } else {
    const auto length = header(head, "Content-Length");
    require(!length.empty());
    require(std::to_string(body.size()) == length || (to_head && body.empty()));
    require(body.empty() || !to_head || closes);
  }
  return status;
}

}  // namespace tidegate::fuzz
