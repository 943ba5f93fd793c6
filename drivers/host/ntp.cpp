#include <sys/timex.h>

#include <cerrno>
#include <cstring>

#include "drivers/host/readings.h"

namespace tidegate::drivers::host {

namespace {

// As the kernel knows it from whoever keeps the clock: timesyncd, chrony, ntpd.
class Ntp final : public Group {
 public:
  Status read(Timestamp, std::vector<Reading>& out) override {
    timex now{};  // asks, sets nothing
    if (::adjtimex(&now) < 0) return fail(Errc::io, "cannot ask for the clock's state: {}", std::strerror(errno));
    constexpr double kMicrosInMs = 1e3, kNanosInMs = 1e6;
    const bool synchronized = (now.status & STA_UNSYNC) == 0;
    const double offset = static_cast<double>(now.offset) / ((now.status & STA_NANO) != 0 ? kNanosInMs : kMicrosInMs);
    out.push_back({"ntp/synchronized", "", synchronized ? 1.0 : 0.0, {}, SeriesKind::boolean});
    if (!synchronized) return {};
    out.push_back({"ntp/offset", "ms", offset});
    out.push_back({"ntp/max_error", "ms", static_cast<double>(now.maxerror) / kMicrosInMs});
    return {};
  }
};

}  // namespace

std::unique_ptr<Group> make_ntp() { return std::make_unique<Ntp>(); }

}  // namespace tidegate::drivers::host
