#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "rules/expr/expression.h"

namespace tidegate::rules::expr {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr Timestamp kStart{seconds(1'700'000'000)};

inline Expression parsed(std::string_view text) {
  auto read = Expression::parse(text);
  if (auto* problem = std::get_if<Problem>(&read)) {
    ADD_FAILURE() << text << ": " << problem->at.begin + 1 << ": " << problem->text;
    return std::get<Expression>(Expression::parse("value"));
  }
  return std::get<Expression>(std::move(read));
}

inline Input input(std::string unit = "", SeriesKind kind = SeriesKind::number, std::vector<std::string> states = {}) {
  return {{kind, std::move(unit), std::move(states)}, Micros{0}};
}

inline Sample at(Timestamp time, double value, Quality quality = Quality::good) {
  return {SeriesId{0}, quality, Reason::none, time, value};
}

/// A series by its name in the expression.
using Named = std::vector<std::pair<std::string, Input>>;

inline std::variant<Program, Problem> bound(const Expression& expression, const Named& named, Zone zone = utc) {
  std::vector<const Input*> inputs;
  for (const Reference& reference : expression.references()) {
    inputs.push_back(nullptr);
    for (const auto& [name, one] : named) {
      if (name == reference.name) inputs.back() = &one;
    }
  }
  return Program::bind(expression, inputs, zone);
}

/// Every series that is not named is a plain number.
inline Program program(std::string_view text, Named named = {}, Zone zone = utc) {
  const Expression expression = parsed(text);
  for (const Reference& reference : expression.references()) {
    const bool is_pattern = reference.kind == Reads::Kind::pattern;
    bool is_named = false;
    for (const auto& [name, one] : named) is_named = is_named || name == reference.name;
    if (!is_named && !is_pattern) named.emplace_back(reference.name, input());
  }
  auto made = bound(expression, named, zone);
  if (auto* problem = std::get_if<Problem>(&made)) {
    ADD_FAILURE() << text << ": " << problem->at.begin + 1 << ": " << problem->text;
    return program("value");
  }
  return std::get<Program>(std::move(made));
}

/// "12.5", "true", "unknown"
inline std::string shown(const Value& value) { return value.known ? fmt::format("{:.12g}", value.value) : "unknown"; }

/// Of one sample of each series, in order of their appearance; NaN: none came.
inline std::string value_of(std::string_view text, const std::vector<double>& samples, Named named = {}) {
  Program made = program(text, std::move(named));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] == samples[i]) made.observe(i, at(kStart, samples[i]));
  }
  return shown(made.evaluate(kStart));
}

/// What is wrong: "column: text", or "".
inline std::string error_of(std::string_view text, const Named& named = {}) {
  const auto read = Expression::parse(text);
  const auto* problem = std::get_if<Problem>(&read);
  if (problem != nullptr) return fmt::format("{}: {}", problem->at.begin + 1, problem->text);
  const auto made = bound(std::get<Expression>(read), named);
  problem = std::get_if<Problem>(&made);
  return problem == nullptr ? "" : fmt::format("{}: {}", problem->at.begin + 1, problem->text);
}

}  // namespace tidegate::rules::expr
