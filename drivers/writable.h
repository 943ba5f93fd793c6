#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/value.h"
#include "gateway/core/outlet.h"

namespace tidegate::drivers {

/// A point that may be set, as every driver that writes has it: what it takes, how that becomes its device's own value,
/// and what the device shows of it afterwards. Any thread.
struct Writable {
  WritablePoint point;
  ValueOptions value;
};

/// min, max, interlock, verify: the options of `writable:` that every driver has.
std::vector<config::Shape::Field> writable_fields();
/// Of a sound `writable:`; what makes no sense for such a point goes to `problems`. `natural`: its kind unless the
/// value says. A driver whose devices have states without codes has `states:` in its shape.
std::optional<Writable> read_writable(const config::Node& how, std::string series, SeriesKind natural,
                                      const ValueOptions& value, config::Problems& problems);

/// What people write for a point ("21.5", "on", "running"), as it is shown: a number, a boolean, or one of its states,
/// which is a view into `point`. Errc::invalid: the point does not take it. The device need not be there.
Result<Reading> takes(const WritablePoint& point, std::string_view wished);
/// What the device takes for what people write ("21.5", "on", "running"): the number before scaling, the code of a
/// word, a boolean, or a text, which is a view into `writable`. Errc::invalid: the point does not take it.
Result<Reading> to_device(const Writable& writable, std::string_view wished);
/// A device's value as people see the point: "62 °C", "on", "running", "no value".
std::string shown(const Writable& writable, const Reading& of_device);
/// Whether the device has what was written; a number to the last digits that a scale leaves alone.
bool is_same(const Writable& writable, const Reading& written, const Reading& now);
/// Errc::conflict: the device, which took it, shows something else.
tl::unexpected<Error> shows_instead(const Writable& writable, const Reading& written, std::string_view now_shown);

}  // namespace tidegate::drivers
