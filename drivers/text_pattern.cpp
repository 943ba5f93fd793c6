#include "drivers/text_pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <deque>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

constexpr int kMaxMemory = 1 << 20;  // of one expression

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

class Expression {
 public:
  explicit Expression(std::string_view text) : expression_(piece(text), quiet()) {
    if (!expression_.ok()) return;
    for (const auto& [group, name] : expression_.CapturingGroupNames()) names_.emplace_back(group, name);
    found_.resize(static_cast<std::size_t>(expression_.NumberOfCapturingGroups()) + 1);
  }

  std::string problem() const {
    if (!expression_.ok()) return expression_.error();
    return names_.empty() ? "has no group with a name, as in (?P<weight>[0-9.]+)" : "";
  }

  /// Scales fill up between sign and digits: "-   0.25".
  std::string_view joined(std::string_view value) {
    const bool sign = value.starts_with('+') || value.starts_with('-');
    const std::size_t rest = value.find_first_not_of(' ', 1);
    if (!sign || rest == 1 || rest == std::string_view::npos) return value;
    return joined_.emplace_back(value.substr(0, 1)).append(value.substr(rest));
  }

  /// False: it does not match. A group that took no part says that there is no value.
  Result<bool> find(std::string_view text, std::vector<Leaf>& leaves) {
    if (!expression_.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found_.data(),
                           static_cast<int>(found_.size())))
      return false;
    joined_.clear();
    for (const auto& [group, name] : names_) {
      const re2::StringPiece& value = found_[static_cast<std::size_t>(group)];
      const auto reading = reading_of_word(joined({value.data(), value.size()}));
      if (!reading) return fail(Errc::invalid, "{}: {}", name, reading.error().text);
      leaves.push_back(Leaf{*reading, name});
    }
    return true;
  }

 private:
  RE2 expression_;
  std::vector<std::pair<int, std::string>> names_;
  std::vector<re2::StringPiece> found_;
  std::deque<std::string> joined_;  ///< they never move
};

class PatternRecords final : public RecordDecoder {
 public:
  explicit PatternRecords(std::vector<std::unique_ptr<Expression>> expressions)
      : expressions_(std::move(expressions)) {}

  Result<std::span<const Leaf>> decode(std::string_view record) override {
    leaves_.clear();
    if (trim(record).empty()) return std::span<const Leaf>{};
    bool found = false;
    for (const auto& expression : expressions_) {
      const auto one = expression->find(record, leaves_);
      if (!one) return fail(one.error());
      found = found || *one;
    }
    if (!found) return fail(Errc::invalid, "does not match the pattern");
    return std::span<const Leaf>(leaves_);
  }

 private:
  std::vector<std::unique_ptr<Expression>> expressions_;
  std::vector<Leaf> leaves_;
};

}  // namespace

Result<std::unique_ptr<RecordDecoder>> pattern_records(const std::vector<std::string>& expressions) {
  std::vector<std::unique_ptr<Expression>> all;
  for (const std::string& text : expressions) {
    all.push_back(std::make_unique<Expression>(text));
    if (std::string problem = all.back()->problem(); !problem.empty())
      return fail(Errc::invalid, "'{}': {}", printable(text, 64), problem);
  }
  return std::make_unique<PatternRecords>(std::move(all));
}

std::string expression_problem(std::string_view expression) {
  const std::string problem = Expression(expression).problem();
  return problem.empty() ? "" : fmt::format("'{}': {}", printable(expression, 64), problem);
}

Result<NamePattern> NamePattern::parse(std::string_view expression) {
  const auto made = std::make_shared<RE2>(piece(expression), quiet());
  if (!made->ok()) return fail(Errc::invalid, "'{}': {}", printable(expression, 64), made->error());
  NamePattern pattern;
  pattern.expression_ = made;
  return pattern;
}

bool NamePattern::matches(std::string_view name) const {
  return RE2::FullMatch(piece(name), *static_cast<const RE2*>(expression_.get()));
}

}  // namespace tidegate::drivers
