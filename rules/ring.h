#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tidegate::rules {

/// A queue in one piece of memory, which it reuses: two ends that lie near each other cost no more than one. It grows
/// by doubling and never shrinks.
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// By age, the oldest first.
  T& operator[](std::size_t i) { return all_[(first_ + i) & (all_.size() - 1)]; }
  const T& operator[](std::size_t i) const { return all_[(first_ + i) & (all_.size() - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(const T& one) {
    if (size_ == all_.size()) grow();
    ++size_;
    back() = one;
  }
  void pop_front() {
    first_ = (first_ + 1) & (all_.size() - 1);
    --size_;
  }
  void pop_back() { --size_; }
  /// Only the oldest stay.
  void truncate(std::size_t size) { size_ = size; }

 private:
  void grow() {
    std::rotate(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_), all_.end());
    first_ = 0;
    all_.resize(std::max<std::size_t>(4, 2 * all_.size()));
  }

  std::vector<T> all_;  ///< as many as a power of two, or none
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace tidegate::rules
