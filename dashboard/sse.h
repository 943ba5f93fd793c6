#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tidegate::dashboard {

/// Bytes of the stream, encoded once and shared by every viewer that gets them.
using Frame = std::shared_ptr<const std::string>;
inline Frame frame(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

/// Appends one Server-Sent Event. `data` is JSON on one line, so it holds no CR or LF; `name` and `id` are ours.
inline void append_event(std::string& out, std::string_view name, std::string_view data, std::string_view id = {}) {
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  out.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

}  // namespace tidegate::dashboard
