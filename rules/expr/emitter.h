#pragma once

#include "rules/expr/block.h"
#include "rules/expr/operand.h"

namespace tidegate::rules::expr {

/// Writes a block, operation by operation.
class Emitter {
 public:
  explicit Emitter(Block& block) : block_(block) { constant(kUnknown); }  // slot 0 is nobody's

  Block& block() { return block_; }
  std::uint16_t constant(double value);
  std::uint16_t slot(const Operand& operand) { return operand.is_constant ? constant(operand.value) : operand.slot; }
  /// The slot of its result; its operands are in a, b, c. `reads`: the references that it depends on, a bit each.
  std::uint16_t emit(Op op, std::uint64_t reads);
  /// The last operation compares.
  void note_comparison(ComparisonSpec comparison);
  /// Which operations have to be done for the value, and which at a sample of each reference.
  void finish(std::uint16_t result, std::size_t references);

 private:
  void need(std::vector<bool>& needed, std::uint16_t slot) const;
  void need_operands(std::vector<bool>& needed, const Op& op) const;
  void plan_main();
  void plan_feed(std::size_t reference);

  Block& block_;
  std::vector<int> producers_;        ///< by slot: the operation that fills it, or -1
  std::vector<std::uint64_t> reads_;  ///< by operation
};

}  // namespace tidegate::rules::expr
