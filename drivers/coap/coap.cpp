#include "drivers/coap/coap.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "drivers/coap/options.h"
#include "drivers/point.h"
#include "drivers/polled.h"
#include "drivers/poller.h"
#include "drivers/troubles.h"

namespace tidegate::drivers::coap {
namespace {

/// A resource with its points, and whether an answer is awaited.
struct Watched {
  std::vector<PointOptions> options;
  std::vector<Point> points;
  std::optional<Timestamp> asked{};
  std::string trouble{};
};

class CoapDriver final : public Driver {
 public:
  CoapDriver(Options options, const Context& context)
      : every_(options.every),
        access_(options.access),
        context_(context),
        client_(options.access, resources_of(options)) {
    for (ResourceOptions& resource : options.resources) {
      Watched& watched = watched_.emplace_back();
      for (PointOptions& point : resource.points) watched.points.emplace_back(point.series, point.value);
      watched.options = std::move(resource.points);
    }
  }

  Status run(Sink& sink, std::stop_token stop) override {
    constexpr Micros kFirstRest = std::chrono::seconds(1), kLongestRest = std::chrono::minutes(1);
    open_series(sink);
    Backoff rest(kFirstRest, kLongestRest, std::hash<std::string>{}(context_.source));
    while (!stop.stop_requested()) {
      Status status = client_.open();
      if (status) status = listen(sink, stop, rest);
      if (status) continue;
      lose_all(reason_of(status.error()), sink);
      sink.report(SourceHealth::down, status.error().text);
      sleep_for(rest.next(), stop);
    }
    return {};
  }

 private:
  static std::vector<Resource> resources_of(const Options& options) {
    std::vector<Resource> all;
    for (const ResourceOptions& resource : options.resources) all.push_back(resource.resource);
    return all;
  }

  // Those whose kind is known; others are made by the first answer.
  void open_series(Sink& sink) {
    for (Watched& watched : watched_) {
      for (Point& point : watched.points) {
        if (!point.options().kind) continue;
        if (Status opened = point.open(sink, *point.options().kind, every_); !opened)
          watched.trouble = opened.error().text;
      }
    }
  }

  Status listen(Sink& sink, const std::stop_token& stop, Backoff& rest) {
    constexpr Micros kMoment = std::chrono::milliseconds(100);
    Timestamp turn = context_.clock.now();  // the first at once
    for (Watched& watched : watched_) watched.asked.reset();
    std::vector<Response> responses;
    while (!stop.stop_requested()) {
      const Timestamp now = context_.clock.now();
      if (now >= turn) {
        if (Status asked = ask_all(now); !asked) return asked;
        turn = now + until_next_turn(now, every_);
      }
      responses.clear();
      const Status processed = client_.process(kMoment, responses);
      for (const Response& response : responses) take(response, sink);
      if (!samples_.empty()) sink.push(samples_);
      samples_.clear();
      if (!processed) return processed;
      if (Status waited = look_for_silence(); !waited) return waited;
      if (responses.empty()) continue;
      rest.reset();
      report(sink);
    }
    return {};
  }

  Status ask_all(Timestamp now) {
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (watched_[i].asked) continue;  // an answer is awaited still
      if (Status asked = client_.ask(i); !asked) return asked;
      watched_[i].asked = now;
    }
    return {};
  }

  void take(const Response& response, Sink& sink) {
    constexpr unsigned kContent = 205;
    Watched& watched = watched_[response.resource];
    watched.asked.reset();
    Troubles troubles;
    const Timestamp now = context_.clock.now();
    for (std::size_t i = 0; i < watched.points.size(); ++i) {
      std::string text;
      const Format said =
          watched.options[i].format == Format::automatic ? format_of(response.format) : watched.options[i].format;
      const Result<Reading> reading =
          response.code == kContent
              ? parse_payload(response.payload, said, watched.options[i].pointer, text)
              : fail(Errc::corrupt, "the server answers {}.{:02}", response.code / 100, response.code % 100);
      troubles.add(take_reading(watched.points[i], reading, now, sink));
    }
    watched.trouble = troubles.text();
  }

  std::string take_reading(Point& point, const Result<Reading>& reading, Timestamp now, Sink& sink) {
    if (!reading) {
      point.lose(Reason::device_fault, now, samples_);
      return fmt::format("{}: {}", point.series(), reading.error().text);
    }
    if (!point.is_open()) {
      if (Status opened = point.open(sink, kind_of(reading->type), every_); !opened) return opened.error().text;
    }
    return point.take(sink, *reading, now, samples_);
  }

  // The library gives a request up by itself; but an answer that was acknowledged and never came it waits for for ever.
  Status look_for_silence() const {
    const Timestamp now = context_.clock.now();
    const bool silent = std::any_of(watched_.begin(), watched_.end(), [&](const Watched& watched) {
      return watched.asked && now - *watched.asked > access_.timeout;
    });
    if (!silent) return {};
    return fail(Errc::timed_out, "{}:{} does not answer within {} ms{}", access_.host, access_.port,
                access_.timeout.count() / 1000, access_.secure ? ": are identity and key right?" : "");
  }

  void lose_all(Reason why, Sink& sink) {
    samples_.clear();
    for (Watched& watched : watched_) {
      for (Point& point : watched.points) point.lose(why, context_.clock.now(), samples_);
    }
    if (!samples_.empty()) sink.push(samples_);
    samples_.clear();
  }

  void report(Sink& sink) const {
    Troubles troubles;
    for (const Watched& watched : watched_) troubles.add(watched.trouble);
    const std::string trouble = troubles.text();
    sink.report(
        trouble.empty() ? SourceHealth::up : SourceHealth::degraded,
        trouble.empty() ? fmt::format("{}:{}: {} resources", access_.host, access_.port, watched_.size()) : trouble);
  }

  const Micros every_;
  const Access access_;
  const Context context_;
  Client client_;
  std::vector<Watched> watched_;
  std::vector<Sample> samples_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  return own.empty() ? std::make_unique<CoapDriver>(std::move(options), context) : nullptr;
}

}  // namespace

DriverType type() { return {"coap", "Small sensors that speak CoAP: polled or observed, DTLS.", shape(), make}; }

}  // namespace tidegate::drivers::coap
