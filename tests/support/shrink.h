#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace tidegate::test {

/// Takes steps away from a list that `fails` as long as it goes on failing without them: at first half of it at a time,
/// at the end one by one. After `most` tries what is left then.
template <class Step>
std::vector<Step> shrunk(std::vector<Step> steps, const std::function<bool(const std::vector<Step>&)>& fails,
                         int most = 400) {
  for (std::size_t size = (steps.size() + 1) / 2; size > 0;) {
    bool smaller = false;
    for (std::size_t at = 0; at < steps.size() && most > 0;) {
      std::vector<Step> fewer(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(at));
      if (at + size < steps.size())
        fewer.insert(fewer.end(), steps.begin() + static_cast<std::ptrdiff_t>(at + size), steps.end());
      --most;
      if (fails(fewer)) {
        steps = std::move(fewer);
        smaller = true;
      } else {
        at += size;
      }
    }
    if (most == 0 || (size == 1 && !smaller)) break;
    if (size > 1) size /= 2;
  }
  return steps;
}

}  // namespace tidegate::test
