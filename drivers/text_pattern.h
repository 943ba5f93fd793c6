#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/record.h"

namespace tidegate::drivers {

/// Text read by regular expressions (RE2, whose time grows with the text's length alone): each group with a name,
/// (?P<weight>[0-9.]+), is a value. An expression may match anywhere in a record; what several of them find is taken
/// together. Errc::invalid: an expression is none, or has no named group; the text says which.
Result<std::unique_ptr<RecordDecoder>> pattern_records(const std::vector<std::string>& expressions);

/// What is wrong with an expression of that kind; "" where nothing is.
std::string expression_problem(std::string_view expression);

/// Names by a regular expression that fits all of them.
class NamePattern {
 public:
  static Result<NamePattern> parse(std::string_view expression);
  bool matches(std::string_view name) const;

 private:
  std::shared_ptr<const void> expression_;
};

}  // namespace tidegate::drivers
