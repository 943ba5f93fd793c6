#pragma once

#include <vector>

#include "drivers/record.h"

namespace tidegate::drivers::serial {

/// Pairs on a line: `T=21.5;H=40`, `temp: 21.5, mode: "warm up"`, `a=1 b=2`. Between key and value stands = or :, with
/// blanks around it or none; a value ends at a blank, or at one of , ; & |, or has quotes around it.
class KeyValueRecords final : public RecordDecoder {
 public:
  static constexpr std::size_t kMostPairs = 1000;
  Result<std::span<const Leaf>> decode(std::string_view record) override;

 private:
  std::vector<Leaf> leaves_;
};

}  // namespace tidegate::drivers::serial
