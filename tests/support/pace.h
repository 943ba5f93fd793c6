#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TIDEGATE_TESTS_ARE_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TIDEGATE_TESTS_ARE_SANITIZED 1
#endif

namespace tidegate::test {

using Millis = std::chrono::duration<double, std::milli>;

/// How many times as long what is timed may take: more under a sanitizer.
#ifdef TIDEGATE_TESTS_ARE_SANITIZED
constexpr int kSlower = 10;
#else
constexpr int kSlower = 1;
#endif

/// Within which whatever is answered at once is answered, whoever else asks.
constexpr Millis kPrompt{100.0 * kSlower};

template <class What>
Millis time_of(const What& what) {
  const auto began = std::chrono::steady_clock::now();
  what();
  return std::chrono::steady_clock::now() - began;
}

/// Of some, the middle one, which a machine that has much else to do moves the least.
inline Millis median(std::vector<Millis> all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

}  // namespace tidegate::test
