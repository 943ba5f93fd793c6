#include <gpiod.h>
#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "drivers/gpio/lines.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::gpio {
namespace {

Micros micros(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::duration_cast<Micros>(std::chrono::nanoseconds(time.tv_nsec));
}

// The kernel stamps edges by this clock since 5.7; by the wall's before, which is then taken for now.
Micros ago(const timespec& time) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const Micros since = micros(now) - micros(time);
  return since < Micros{0} || since > std::chrono::minutes(1) ? Micros{0} : since;
}

int flags_of(const LineOptions& options) {
  int flags = options.active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
  if (options.bias == Bias::off) flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
  if (options.bias == Bias::pull_up) flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
  if (options.bias == Bias::pull_down) flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
  return flags;
}

struct CloseChip {
  void operator()(gpiod_chip* chip) const { gpiod_chip_close(chip); }  // with its lines
};

class SystemLines final : public Lines {
 public:
  Status open(const std::vector<LineOptions>& wanted) override {
    lines_.clear();
    chips_.clear();
    for (const LineOptions& options : wanted) {
      if (Status opened = open_one(options); !opened) {
        lines_.clear();
        chips_.clear();
        return opened;
      }
    }
    return {};
  }

  Result<bool> active(std::size_t line) override {
    const int value = gpiod_line_get_value(lines_.at(line));
    if (value < 0) return failed("read", line);
    return value != 0;
  }

  Status set(std::size_t output, bool active) override {
    if (gpiod_line_set_value(lines_.at(output), active ? 1 : 0) != 0) return failed("set", output);
    return {};
  }

  Result<std::vector<Edge>> wait(Micros at_most) override {
    std::vector<pollfd> fds;  // of an output there is none, and poll leaves -1 alone
    for (gpiod_line* line : lines_) fds.push_back({gpiod_line_event_get_fd(line), POLLIN, 0});
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>((at_most.count() + 999) / 1000));
    std::vector<Edge> edges;
    if (ready < 0) return errno == EINTR ? Result<std::vector<Edge>>(edges) : failed("wait for", 0);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      if ((fds[i].revents & POLLIN) == 0) return failed("wait for", i, ENODEV);  // its chip is gone
      if (Status read = read_events(i, edges); !read) return fail(read.error());
    }
    std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.ago > b.ago; });
    return edges;
  }

 private:
  Status open_one(const LineOptions& options) {
    gpiod_line* line = nullptr;
    if (options.chip.empty()) {
      line = gpiod_line_find(options.line.c_str());
      if (line == nullptr) {
        return fail(Errc::not_found, "no chip has a line '{}': gpioinfo shows the names; else give chip and number",
                    options.line);
      }
      chips_.emplace_back(gpiod_line_get_chip(line));
    } else {
      gpiod_chip* chip = gpiod_chip_open_lookup(options.chip.c_str());
      if (chip == nullptr) return fail(Errc::not_found, "cannot open {}: {}", options.chip, std::strerror(errno));
      chips_.emplace_back(chip);
      double number = 0;
      line = parse_number(options.line, number) ? gpiod_chip_get_line(chip, static_cast<unsigned>(number))
                                                : gpiod_chip_find_line(chip, options.line.c_str());
      if (line == nullptr) return fail(Errc::not_found, "{} has no line '{}'", options.chip, options.line);
    }
    constexpr const char* kConsumer = "tidegate";
    const gpiod_line_request_config as_is{kConsumer, GPIOD_LINE_REQUEST_DIRECTION_AS_IS, flags_of(options)};
    const int requested = options.as_is ? gpiod_line_request(line, &as_is, 0)
                          : options.output
                              ? gpiod_line_request_output_flags(line, kConsumer, flags_of(options), *options.output)
                              : gpiod_line_request_both_edges_events_flags(line, kConsumer, flags_of(options));
    if (requested != 0) {
      const bool held = errno == EBUSY;
      return fail(Errc::io, "line {}: {}{}", options.line, std::strerror(errno),
                  held ? ": another program holds it" : "");
    }
    lines_.push_back(line);
    return {};
  }

  Status read_events(std::size_t line, std::vector<Edge>& edges) {
    constexpr unsigned kMost = 16;  // what the kernel keeps of a line
    gpiod_line_event events[kMost];
    const int count = gpiod_line_event_read_multiple(lines_[line], events, kMost);
    if (count < 0) return failed("read", line);
    for (int i = 0; i < count; ++i) {
      edges.push_back({line, events[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE, ago(events[i].ts)});
    }
    return {};
  }

  static tl::unexpected<Error> failed(const char* what, std::size_t line, int why = errno) {
    return fail(Errc::io, "cannot {} line {} of those that are listed: {}", what, line + 1, std::strerror(why));
  }

  std::vector<std::unique_ptr<gpiod_chip, CloseChip>> chips_;
  std::vector<gpiod_line*> lines_;
};

}  // namespace

std::unique_ptr<Lines> system_lines() { return std::make_unique<SystemLines>(); }

}  // namespace tidegate::drivers::gpio
