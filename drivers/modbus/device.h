#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/modbus/options.h"
#include "drivers/point.h"
#include "drivers/polled.h"

namespace tidegate::drivers::modbus {

/// A unit on a line: its points in groups of the same interval, each read by as few requests as its limits allow. A
/// request that the unit refuses is cut in two, again and again, so that one wrong address blinds no other; what is
/// still refused alone is asked for again after a while.
class Device final : public PolledDevice {
 public:
  Device(DeviceOptions options, std::shared_ptr<Line> line);

  std::vector<Micros> intervals() const;

  Status open(Sink& sink) override;
  Result<std::string> read(std::size_t group, Turn& turn) override;
  void lose(std::size_t group, Reason why, Turn& turn) override;

  std::vector<WritablePoint> writable() const override;
  /// Waits for its turn on the line, then for at most a few time-outs.
  Status write(std::string_view series, std::string_view value, const Permission& may) override;

 private:
  /// A request, and how it went.
  struct Asked {
    Block block;
    std::vector<std::uint16_t> registers{};
    Timestamp time{};
    int exception = 0;  ///< it was refused, and why
    Timestamp rests_until{};
  };
  struct Held {
    Point point;
    std::size_t options;          ///< which of options_.points
    std::size_t value, exponent;  ///< which of the spans; the same where it has no exponent
  };
  struct Group {
    Micros every;
    std::vector<Held> points{};
    std::vector<Span> wanted{};
    std::vector<Asked> requests{};
    std::vector<std::size_t> found{};  ///< of each span, its request
  };

  void add(std::size_t number);
  Status ask(Group& group, Turn& turn);
  Error what_to_look_at(Error error) const;
  Status ask_one(Group& group, std::size_t at, Timestamp now);
  void split_or_rest(Group& group, std::size_t at, int exception, Timestamp now);
  std::string take(Group& group, Turn& turn);
  std::string take(Held& held, const Group& group, Turn& turn);
  Status verify(const PointOptions& point, std::span<const std::uint16_t> written);
  Status settle(const PointOptions& point, std::span<const std::uint16_t> written, const Error& doubt);
  Result<std::string> instead_of(const PointOptions& point, std::span<const std::uint16_t> written);

  const DeviceOptions options_;
  const std::shared_ptr<Line> line_;
  std::vector<Group> groups_;
  std::string text_;  ///< of a string that was just read
};

}  // namespace tidegate::drivers::modbus
