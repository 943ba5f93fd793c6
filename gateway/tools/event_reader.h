#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tidegate::tools {

/// Takes the gateway's event stream apart: docs/api.md, Server-Sent Events. One thread.
class EventReader {
 public:
  /// One event; false when no further one is wanted.
  using Take = std::function<bool(std::string_view name, std::string_view data)>;

  explicit EventReader(Take take) : take_(std::move(take)) {}

  /// The next bytes of the stream, cut wherever they may be; false when no more are wanted.
  bool feed(std::string_view bytes);

 private:
  bool line(std::string_view text);

  const Take take_;
  std::string unread_;  ///< the beginning of a line
  std::string name_, data_;
};

}  // namespace tidegate::tools
