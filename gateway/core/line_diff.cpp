#include "gateway/core/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace tidegate {
namespace {

using Kind = DiffLine::Kind;
using Lines = std::vector<std::string_view>;

/// Beyond it the search would cost seconds and megabytes: it takes the square of it in steps and in words.
constexpr int kMostChanges = 1500;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The steps from the beginnings of two lists of lines to their ends.
class Search {
 public:
  Search(std::span<const std::string_view> before, std::span<const std::string_view> after)
      : before_(before), after_(after) {}

  std::vector<Kind> steps() {
    const int found = changes();
    return found < 0 ? all_of_it() : back_from_the_end(found);
  }

 private:
  int size_before() const { return static_cast<int>(before_.size()); }
  int size_after() const { return static_cast<int>(after_.size()); }

  /// How far one gets on each diagonal k = x - y with so many changes; remembered for each number of them. -1: too
  /// many.
  int changes() {
    const int most = std::min(size_before() + size_after(), kMostChanges);
    std::vector<int> reach(static_cast<std::size_t>(2 * most + 3), 0);
    const auto at = [&](int k) -> int& { return reach[static_cast<std::size_t>(k + most + 1)]; };
    for (int d = 0; d <= most; ++d) {
      for (int k = -d; k <= d; k += 2) {
        int x = down(k, d, [&](int of) { return at(of); }) ? at(k + 1) : at(k - 1) + 1;
        while (same(x, x - k)) ++x;
        at(k) = x;
        if (x >= size_before() && x - k >= size_after()) return d;
      }
      reached_.emplace_back(reach.begin() + (most + 1 - d), reach.begin() + (most + 2 + d));
    }
    return -1;
  }

  bool same(int x, int y) const {
    return x < size_before() && y >= 0 && y < size_after() &&
           before_[static_cast<std::size_t>(x)] == after_[static_cast<std::size_t>(y)];
  }

  /// Does the way to diagonal k come by a line that is added?
  template <class Reach>
  static bool down(int k, int d, const Reach& reach) {
    return k == -d || (k != d && reach(k - 1) < reach(k + 1));
  }

  std::vector<Kind> back_from_the_end(int changes) const {
    std::vector<Kind> steps;
    int x = size_before(), y = size_after();
    for (int d = changes; d > 0; --d) {
      const auto& reach = reached_[static_cast<std::size_t>(d - 1)];
      const auto reached = [&](int k) { return reach[static_cast<std::size_t>(k + d - 1)]; };
      const int k = x - y;
      const bool added = down(k, d, [&](int of) { return of > -d && of < d ? reached(of) : -1; });
      const int from_x = reached(added ? k + 1 : k - 1), from_y = from_x - (added ? k + 1 : k - 1);
      while (x > from_x && y > from_y) {
        steps.push_back(Kind::both);
        --x;
        --y;
      }
      steps.push_back(added ? Kind::added : Kind::removed);
      (added ? y : x) -= 1;
    }
    steps.insert(steps.end(), static_cast<std::size_t>(x), Kind::both);
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  std::vector<Kind> all_of_it() const {
    std::vector<Kind> steps(before_.size(), Kind::removed);
    steps.insert(steps.end(), after_.size(), Kind::added);
    return steps;
  }

  const std::span<const std::string_view> before_, after_;
  std::vector<std::vector<int>> reached_;  ///< by number of changes: of the diagonals -d to d
};

char mark(Kind kind) { return kind == Kind::both ? ' ' : kind == Kind::added ? '+' : '-'; }

/// Of a piece; a text of which it has nothing is named by the line before it.
std::string head(std::span<const DiffLine> piece, int before, int after) {
  int in_before = 0, in_after = 0;
  for (const DiffLine& line : piece) {
    in_before += line.before > 0 ? 1 : 0;
    in_after += line.after > 0 ? 1 : 0;
  }
  const auto range = [](int first, int count) {
    return count == 1 ? fmt::format("{}", first + 1) : fmt::format("{},{}", first + (count > 0 ? 1 : 0), count);
  };
  return fmt::format("@@ -{} +{} @@\n", range(before, in_before), range(after, in_after));
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before_text, std::string_view after_text) {
  const Lines before = lines_of(before_text), after = lines_of(after_text);
  const auto differ = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  const auto head = static_cast<std::size_t>(differ.first - before.begin());
  std::size_t tail = 0;
  while (tail < before.size() - head && tail < after.size() - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const auto middle = [&](const Lines& lines) { return std::span(lines).subspan(head, lines.size() - head - tail); };
  std::vector<Kind> steps(head, Kind::both);
  const std::vector<Kind> inner = Search(middle(before), middle(after)).steps();
  steps.insert(steps.end(), inner.begin(), inner.end());
  steps.insert(steps.end(), tail, Kind::both);

  std::vector<DiffLine> lines;
  int x = 0, y = 0;
  for (const Kind kind : steps) {
    if (kind != Kind::added) ++x;
    if (kind != Kind::removed) ++y;
    const std::string_view text =
        kind == Kind::added ? after[static_cast<std::size_t>(y - 1)] : before[static_cast<std::size_t>(x - 1)];
    lines.push_back({kind, text, kind == Kind::added ? 0 : x, kind == Kind::removed ? 0 : y});
  }
  return lines;
}

std::string unified(const std::vector<DiffLine>& lines, std::string_view before_name, std::string_view after_name) {
  constexpr std::size_t kAround = 3;
  std::string out;
  int before = 0, after = 0;  // lines passed
  std::size_t done = 0;
  while (done < lines.size()) {
    const auto differs = [](const DiffLine& line) { return line.kind != Kind::both; };
    const auto change = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(done), lines.end(), differs);
    if (change == lines.end()) break;
    const auto at = static_cast<std::size_t>(change - lines.begin());
    const std::size_t begin = at - std::min(at - done, kAround);
    std::size_t end = at + 1;  // behind the last change of this piece
    for (std::size_t i = end; i < lines.size() && i <= end + 2 * kAround; ++i) {
      if (differs(lines[i])) end = i + 1;
    }
    const std::size_t stop = std::min(lines.size(), end + kAround);
    before += static_cast<int>(begin - done);
    after += static_cast<int>(begin - done);
    if (out.empty()) out = fmt::format("--- {}\n+++ {}\n", before_name, after_name);
    const std::span<const DiffLine> piece = std::span(lines).subspan(begin, stop - begin);
    out += head(piece, before, after);
    for (const DiffLine& line : piece) {
      out += fmt::format("{}{}\n", mark(line.kind), line.text);
      before += line.before > 0 ? 1 : 0;
      after += line.after > 0 ? 1 : 0;
    }
    done = stop;
  }
  return out;
}

}  // namespace tidegate
