#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "rules/detector.h"
#include "rules/expr/apply.h"
#include "rules/expr/functions.h"

namespace tidegate::rules::expr {

/// What the values of a pattern's members come to. What one known member decides, the others may leave unknown.
class Fold {
 public:
  Fold() = default;
  explicit Fold(double value) {
    if (std::isnan(value)) {
      unknown_ = 1;
    } else {
      known_ = 1;
      sum_ = least_ = most_ = value;
    }
  }
  friend Fold merged(const Fold& one, const Fold& other) {
    Fold both;
    both.known_ = one.known_ + other.known_;
    both.unknown_ = one.unknown_ + other.unknown_;
    both.sum_ = one.sum_ + other.sum_;
    both.least_ = std::min(one.least_, other.least_);
    both.most_ = std::max(one.most_, other.most_);
    return both;
  }

  double read(Fn fn) const {
    if (fn == Fn::all_members && least_ == 0) return 0;
    if (fn == Fn::any_members && most_ == 1) return 1;
    if (known_ == 0) return kUnknown;
    switch (fn) {
      case Fn::all_members:
        return unknown_ > 0 ? kUnknown : 1;
      case Fn::any_members:
        return unknown_ > 0 ? kUnknown : 0;
      case Fn::avg_members:
        return finite(sum_ / known_);
      case Fn::min_members:
        return least_;
      case Fn::max_members:
        return most_;
      default:
        return finite(sum_);
    }
  }

 private:
  static constexpr double kBeyondAll = std::numeric_limits<double>::infinity();

  std::uint32_t known_ = 0, unknown_ = 0;
  double sum_ = 0, least_ = kBeyondAll, most_ = -kBeyondAll;
};

/// The same of all members, of which each sample changes one: a tree of folds of two. One that changes costs as many
/// merges as the tree is high. Nothing is taken out of a sum, so what it says depends on the values that the members
/// have now and on the order in which they came, and on nothing that they had. It has places for as many as a power of
/// two: while one more is unknown, it changes no rounding either.
class FoldTree {
 public:
  struct Node {
    Fold fold;
    Timestamp wake = kTouched;  ///< when time alone may change it
    Timestamp fades = kNever;   ///< when a sample leaves one of its windows
  };

  /// There are so many members now; none was looked at yet.
  void begin(std::size_t members) {
    members_ = members;
    leaves_ = std::bit_ceil(members);
    nodes_.assign(2 * leaves_, Node{});
    for (std::size_t i = members; i < leaves_; ++i) nodes_[leaves_ + i].wake = kNever;
  }
  /// It may have another value.
  void touch(std::size_t member) {
    for (std::size_t i = leaves_ + member; i > 0 && nodes_[i].wake != kTouched; i /= 2) nodes_[i].wake = kTouched;
  }
  void touch_all() { begin(members_); }

  /// What they come to at `now`. `look` gives the Node of one member: it is asked for those that were touched, and for
  /// those whose time has come.
  template <class Look>
  Node read(Timestamp now, const Look& look) {
    if (members_ == 0) return {Fold(), kNever, kNever};
    look_at(kRoot, now, look);
    return nodes_[kRoot];
  }

 private:
  static constexpr Timestamp kTouched = Timestamp::min();
  static constexpr std::size_t kRoot = 1;

  template <class Look>
  void look_at(std::size_t i, Timestamp now, const Look& look) {
    if (std::min(nodes_[i].wake, nodes_[i].fades) > now) return;
    if (i >= leaves_) {
      nodes_[i] = look(i - leaves_);
      return;
    }
    look_at(2 * i, now, look);
    look_at(2 * i + 1, now, look);
    const Node &one = nodes_[2 * i], &other = nodes_[2 * i + 1];
    nodes_[i] = {merged(one.fold, other.fold), std::min(one.wake, other.wake), std::min(one.fades, other.fades)};
  }

  std::size_t members_ = 0, leaves_ = 0;
  std::vector<Node> nodes_;  ///< of i the parts are 2i and 2i + 1; the last `leaves_` are members, and free places
};

}  // namespace tidegate::rules::expr
