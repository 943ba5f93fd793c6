#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/app/sweep.h"
#include "gateway/app/unstored.h"
#include "gateway/core/result.h"
#include "gateway/journal/store_view.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"
#include "rules/replay.h"

namespace tidegate::app {

/// Rules over what is stored: each alert by itself, over the series that decide about it. What all variants of a rule
/// read is read once.
class Play {
 public:
  /// Gets each alert of each variant when it was played.
  using Take = std::function<Status(std::size_t variant, const rules::Replay& replay)>;

  /// `derived`: the items of the configuration; those of their series of which nothing is stored are made.
  Play(journal::StoreView& view, std::vector<rules::Rule> derived, tools::Range range, std::stop_token stop, Take take)
      : view_(view),
        unstored_(view, std::move(derived)),
        range_(range),
        stop_(std::move(stop)),
        take_(std::move(take)) {}

  /// Says on standard error which rule watches nothing that is stored, which series a rule cannot watch, and how many
  /// were made.
  Status run(const std::vector<Variant>& variants);

  Timestamp end() const { return end_; }  ///< of what is known of the range
  std::uint64_t samples() const { return samples_; }
  std::uint64_t series() const { return series_; }

 private:
  /// An alert of a variant.
  struct Part {
    std::size_t variant;
    std::optional<std::size_t> place;  ///< of the series that it watches; none: it is made
    rules::Replay replay;
    bool joins;  ///< its rule reads several series
  };
  /// A series, and who looks at it.
  struct Input {
    std::size_t place;
    std::vector<Part*> readers;
  };

  Status prepare();
  Status play(const std::string& name, const std::vector<Variant>& variants);
  Needed needed(const Variant& variant, const std::string& own) const;
  rules::Makes makes(const Needed& needed) const;
  Status recall(const std::vector<Input>& inputs);
  Status feed(const std::vector<Input>& inputs);
  void declare(Part& part, std::size_t place, std::size_t input, Timestamp now);
  Status finish(const std::vector<Variant>& variants, std::vector<Part>& parts);
  void tell_what_is_not_stored(const std::vector<Variant>& variants);

  journal::StoreView& view_;
  const Unstored unstored_;
  const tools::Range range_;
  const std::stop_token stop_;
  const Take take_;
  Timestamp end_{};
  tools::Progress progress_;
  std::vector<rules::Interval> off_;
  std::vector<bool> fed_;   ///< each variant, by any sample of what it watches
  std::vector<bool> read_;  ///< each series
  std::set<std::string> made_;
  std::uint64_t samples_ = 0, series_ = 0;
};

}  // namespace tidegate::app
