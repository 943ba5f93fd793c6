#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
  T& operator[](std::size_t i) { return all_[(first_ + i) & mask_]; }
  const T& operator[](std::size_t i) const { return all_[(first_ + i) & mask_]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(const T& one) {
    if (size_ == room_) grow();
    ++size_;
    back() = one;
  }
  void pop_front() {
    first_ = (first_ + 1) & mask_;
    --size_;
  }
  void pop_back() { --size_; }
  /// Only the oldest stay.
  void truncate(std::size_t size) { size_ = static_cast<std::uint32_t>(size); }

 private:
  void grow() {
    std::rotate(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_), all_.end());
    first_ = 0;
    room_ = std::max(4u, 2 * room_);
    mask_ = room_ - 1;
    all_.resize(room_);
  }

  std::vector<T> all_;  ///< as many as a power of two, or none
  std::uint32_t first_ = 0, size_ = 0;
  std::uint32_t room_ = 0, mask_ = 0;  ///< a vector divides to tell its size
};

}  // namespace tidegate::rules
