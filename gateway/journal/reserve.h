#pragma once

#include <cstdint>
#include <filesystem>

namespace tidegate::journal {

/// Room on the disk that is kept for alerts: a file of that size, deleted when there is no other. While it is spent
/// samples are not taken, or they would use the room up.
class Reserve {
 public:
  Reserve(std::filesystem::path file, std::uint64_t bytes);

  bool spent() const { return spent_; }
  /// Gives the room free. False: it was already.
  bool spend();
  /// Takes it back where the disk has it; at the start too. False: there is no room for it.
  bool make();

 private:
  const std::filesystem::path file_;
  const std::uint64_t bytes_;
  bool spent_ = true;
};

}  // namespace tidegate::journal
