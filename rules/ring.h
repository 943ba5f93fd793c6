#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tidegate::rules {

/// A queue in one piece of memory, which it reuses: two ends that lie near each other cost no more than one. It grows
/// by doubling and never shrinks.
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// One more, and it grows.
  bool is_full() const { return size_ == room_; }
  /// By age, the oldest first.
  T& operator[](std::size_t i) { return all_[(first_ + i) & (room_ - 1)]; }
  const T& operator[](std::size_t i) const { return all_[(first_ + i) & (room_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(const T& one) {
    if (size_ == room_) grow();
    ++size_;
    back() = one;
  }
  void pop_front() {
    first_ = (first_ + 1) & (room_ - 1);
    --size_;
  }
  void pop_back() { --size_; }
  /// Only the oldest stay.
  void truncate(std::size_t size) { size_ = static_cast<std::uint32_t>(size); }

 private:
  void grow() {
    const std::uint32_t room = std::max(4u, 2 * room_);
    auto all = std::make_unique<T[]>(room);
    for (std::uint32_t i = 0; i < size_; ++i) all[i] = (*this)[i];
    all_ = std::move(all);
    first_ = 0;
    room_ = room;
  }

  std::unique_ptr<T[]> all_;
  std::uint32_t first_ = 0, size_ = 0;
  std::uint32_t room_ = 0;  ///< a power of two, or 0
};

}  // namespace tidegate::rules
