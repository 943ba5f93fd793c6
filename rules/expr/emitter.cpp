#include "rules/expr/emitter.h"

namespace tidegate::rules::expr {
namespace {

bool keeps_history(Code code) {
  return code == Code::was || code == Code::held || code == Code::then || code == Code::missed;
}

}  // namespace

std::uint16_t Emitter::constant(double value) {
  block_.slots.push_back(value);
  producers_.push_back(-1);
  return static_cast<std::uint16_t>(block_.slots.size() - 1);
}

std::uint16_t Emitter::emit(Op op, std::uint64_t reads) {
  op.out = constant(kUnknown);
  producers_.back() = static_cast<int>(block_.ops.size());
  block_.ops.push_back(op);
  reads_.push_back(reads);
  return op.out;
}

void Emitter::note_comparison(ComparisonSpec comparison) {
  comparison.op = static_cast<std::uint32_t>(block_.ops.size() - 1);
  block_.comparisons.push_back(std::move(comparison));
}

void Emitter::finish(std::uint16_t result, std::size_t references) {
  block_.result = result;
  plan_main();
  block_.feeds.resize(references);
  for (std::size_t reference = 0; reference < references; ++reference) plan_feed(reference);
}

void Emitter::need(std::vector<bool>& needed, std::uint16_t slot) const {
  if (producers_[slot] >= 0) needed[static_cast<std::size_t>(producers_[slot])] = true;
}

void Emitter::need_operands(std::vector<bool>& needed, const Op& op) const {
  need(needed, op.a);
  need(needed, op.b);
  need(needed, op.c);
}

/// What the value needs, and every history; not what only windows take, which they get at their samples.
void Emitter::plan_main() {
  std::vector<bool> needed(block_.ops.size());
  need(needed, block_.result);
  for (std::size_t i = block_.ops.size(); i-- > 0;) {
    const Op& op = block_.ops[i];
    if (keeps_history(op.code)) needed[i] = true;
    if (needed[i] && op.code != Code::window) need_operands(needed, op);
  }
  for (std::uint32_t i = 0; i < block_.ops.size(); ++i) {
    if (needed[i]) block_.main.push_back(i);
  }
  std::erase_if(block_.comparisons, [&needed](const ComparisonSpec& one) { return !needed[one.op]; });
}

/// The windows that take something at a sample of it, and what they need.
void Emitter::plan_feed(std::size_t reference) {
  std::vector<bool> needed(block_.ops.size()), takes(block_.ops.size());
  for (std::size_t i = block_.ops.size(); i-- > 0;) {
    const Op& op = block_.ops[i];
    takes[i] = op.code == Code::window && (reads_[i] >> reference & 1) != 0;
    if (takes[i]) {
      need(needed, op.a);
    } else if (needed[i] && op.code != Code::window) {
      need_operands(needed, op);
    }
  }
  for (std::uint32_t i = 0; i < block_.ops.size(); ++i) {
    if (needed[i] || takes[i]) block_.feeds[reference].steps.push_back({i, takes[i], needed[i], reads_[i]});
  }
}

}  // namespace tidegate::rules::expr
