#pragma once

#include <stop_token>
#include <thread>

namespace tidegate::tools {

/// Ctrl-C (and SIGTERM, SIGHUP) asks for a stop while this lives; a second one ends the process, as if nobody had
/// listened. Made before any other thread.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::thread listener_;
};

}  // namespace tidegate::tools
