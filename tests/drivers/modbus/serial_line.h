#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace tidegate::test {

/// Two ends of a serial line; what stands at `end(1)` is a symbolic link, as udev makes them in /dev/serial/by-id.
class SerialLine {
 public:
  explicit SerialLine(std::string folder) : folder_(std::move(folder)) { plug_in(); }
  ~SerialLine() { unplug(); }
  SerialLine(const SerialLine&) = delete;

  std::string end(int number) const { return folder_ + "/end" + std::to_string(number); }
  void plug_in() {
    process_ = std::make_unique<Process>(std::vector<std::string>{"socat", "-d", "-d", "pty,raw,echo=0,link=" + end(1),
                                                                  "pty,raw,echo=0,link=" + end(2)});
    plugged_ = process_->wait_for_output("starting data transfer loop");
  }
  // Another pseudo-terminal may have the number of one that is gone: no link to it is left for a moment, as with udev.
  void unplug() {
    for (const int number : {1, 2}) std::filesystem::remove(end(number));
    process_.reset();
  }
  bool plugged() const { return plugged_; }

 private:
  const std::string folder_;
  std::unique_ptr<Process> process_;
  bool plugged_ = false;
};

}  // namespace tidegate::test
