#pragma once

#include <span>
#include <string_view>

namespace tidegate::dashboard {

/// A file of the page, inside the binary. Made by the build of dashboard/web.
struct Asset {
  std::string_view path;  ///< "/index.html", "/assets/index-1f3a.js"
  std::string_view content_type;
  std::string_view etag;   ///< with its quotes
  std::string_view gzip;   ///< the content, compressed
  bool immutable = false;  ///< its name holds its hash: a browser may keep it for a year
};

/// All of them; static storage.
std::span<const Asset> assets();

}  // namespace tidegate::dashboard
