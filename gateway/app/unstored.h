#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/journal/store_view.h"
#include "rules/rule.h"

namespace tidegate::app {

/// Derived series of which nothing is stored, because they did not run yet: a backtest makes them of what is stored.
class Unstored {
 public:
  /// `derived`: as rules::parse_derived() gives them. The view outlives it.
  Unstored(const journal::StoreView& view, std::vector<rules::Rule> derived);

  /// By name, those that they are made from: a series' name, which one of these may have as well.
  struct Made {
    std::size_t rule;
    std::string from;
  };
  const std::map<std::string, Made>& series() const { return made_; }
  const std::vector<rules::Rule>& rules() const { return derived_; }

 private:
  const std::vector<rules::Rule> derived_;
  std::map<std::string, Made> made_;
};

/// What decides about an alert.
class Needed {
 public:
  Needed(const journal::StoreView& view, const Unstored& unstored) : view_(view), unstored_(unstored) {}

  /// A series, and where it is made here all that it is made of.
  void add(const std::string& name);
  /// What a rule reads that watches `own`, and what it is suppressed by.
  void add_reads(const rules::Rule& rule, std::string_view own);

  const std::set<std::size_t>& places() const { return places_; }  ///< of series that are stored
  const std::set<std::string>& made() const { return made_; }      ///< names of series that are made

 private:
  const journal::StoreView& view_;
  const Unstored& unstored_;
  std::set<std::size_t> places_;
  std::set<std::string> made_;
};

}  // namespace tidegate::app
