#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "drivers/gpio/lines.h"

namespace tidegate::drivers::gpio {

/// Pins whose other end a test holds, numbered from 0, all down at first. A source has to open them in this order, each
/// once: a line's place is its pin's number.
class Pins {
 public:
  virtual ~Pins() = default;
  /// What a source opens them by.
  virtual std::unique_ptr<Lines> lines() = 0;
  virtual LineOptions line(std::size_t pin) const = 0;
  /// Pulls an input, from outside.
  virtual void set(std::size_t pin, bool high) = 0;
  /// What is measured there, of an output too.
  virtual bool level(std::size_t pin) = 0;
  /// Takes their chip away, and gives it back.
  virtual void unplug(bool unplugged) = 0;
};

/// Pins without a kernel, for what gpio-sim cannot do, and where there is none. Any thread.
class Board final : public Pins {
 public:
  std::unique_ptr<Lines> lines() override;
  LineOptions line(std::size_t pin) const override { return {"0", std::to_string(pin)}; }
  void set(std::size_t pin, bool high) override {
    const std::lock_guard lock(mutex_);
    levels_[pin] = high;
    edges_.push_back({pin, high, Micros{0}});
    changed_.notify_all();
  }
  /// Without an edge.
  void set_unseen(std::size_t pin, bool high) {
    const std::lock_guard lock(mutex_);
    levels_[pin] = high;
  }
  bool level(std::size_t pin) override {
    const std::lock_guard lock(mutex_);
    return levels_[pin];
  }
  /// An output that follows nothing: shorted to ground, say.
  void hold(std::size_t pin) {
    const std::lock_guard lock(mutex_);
    held_ = pin;
  }
  void unplug(bool unplugged) override {
    const std::lock_guard lock(mutex_);
    unplugged_ = unplugged;
    changed_.notify_all();
  }

 private:
  friend class BoardLines;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> levels_ = std::vector<bool>(8);
  std::vector<Edge> edges_;
  std::optional<std::size_t> held_;
  bool unplugged_ = false;
};

class BoardLines final : public Lines {
 public:
  explicit BoardLines(Board& board) : board_(board) {}
  Status open(const std::vector<LineOptions>& lines) override {
    const std::lock_guard lock(board_.mutex_);
    board_.edges_.clear();
    if (board_.unplugged_) return fail(Errc::not_found, "cannot open gpiochip1: No such file or directory");
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].output && !lines[i].as_is) board_.levels_[i] = *lines[i].output;
    }
    return {};
  }
  Status set(std::size_t line, bool active) override {
    const std::lock_guard lock(board_.mutex_);
    if (board_.unplugged_) return fail(Errc::io, "cannot set line 1: No such device");
    if (board_.held_ != line) board_.levels_[line] = active;
    return {};
  }
  Result<bool> active(std::size_t line) override {
    const std::lock_guard lock(board_.mutex_);
    return board_.levels_[line];
  }
  Result<std::vector<Edge>> wait(Micros at_most) override {
    std::unique_lock lock(board_.mutex_);
    board_.changed_.wait_for(lock, at_most, [&] { return !board_.edges_.empty() || board_.unplugged_; });
    if (board_.unplugged_) return fail(Errc::io, "cannot wait for line 1: No such device");
    return std::exchange(board_.edges_, {});
  }

 private:
  Board& board_;
};

inline std::unique_ptr<Lines> Board::lines() { return std::make_unique<BoardLines>(*this); }

}  // namespace tidegate::drivers::gpio
