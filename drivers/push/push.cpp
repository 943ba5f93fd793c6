#include "drivers/push/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "drivers/push/options.h"
#include "drivers/push/receiver.h"
#include "gateway/core/sleep.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::push {
namespace {

class PushDriver final : public Driver, public Inlet {
 public:
  PushDriver(Options options, const Context& context)
      : options_(std::move(options)),
        context_(context),
        bodies_(context.metrics.counter("push/" + context.source + "/bodies", "",
                                        "Bodies that programs pushed to the source " + context.source + ".")) {}

  Inlet* inlet() override { return this; }

  Status run(Sink& sink, std::stop_token stop) override {
    open(&sink);
    while (sleep_for(std::chrono::seconds(1), stop)) look(sink);
    open(nullptr);
    return {};
  }

  Result<Pushed> take(const Push& push) override {
    const std::lock_guard lock(mutex_);
    if (!receiver_)
      return fail(Errc::unavailable, "the source '{}' starts or stops; try again in a second", context_.source);
    bodies_.add();
    const Timestamp now = context_.clock.now();
    auto taken = receiver_->take(push, now);
    if (taken && taken->samples > 0) {
      heard_ = now;
      refused_.clear();
      sink_->report(SourceHealth::up, "programs push to it");
    }
    if (!taken) refused_ = taken.error().text;
    if (taken && !taken->told.empty()) refused_ = taken->told.front().reason;
    return taken;
  }

 private:
  void open(Sink* sink) {
    const std::lock_guard lock(mutex_);
    sink_ = sink;
    receiver_.reset();
    if (sink == nullptr) return;
    heard_ = context_.clock.now();
    receiver_.emplace(options_, context_.source, *sink);
    sink->report(SourceHealth::starting, "nothing has been pushed yet");
  }

  void look(Sink& sink) {
    const std::lock_guard lock(mutex_);
    if (options_.silent_after == Micros{0} || context_.clock.now() - heard_ < options_.silent_after) return;
    const std::string why =
        refused_.empty() ? "are its senders alive, and are their tokens good?" : "the last was refused: " + refused_;
    sink.report(SourceHealth::down,
                fmt::format("nothing that can be used was pushed for {}: {}", age_text(options_.silent_after), why));
  }

  const Options options_;
  const Context context_;
  Metric& bodies_;
  std::mutex mutex_;  ///< guards what follows
  Sink* sink_ = nullptr;
  std::optional<Receiver> receiver_;  ///< while it runs
  Timestamp heard_{};
  std::string refused_;  ///< why the last was that gave nothing; "": none was since one could be used
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  auto options = read_options(section, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  return std::make_unique<PushDriver>(std::move(options), context);
}

}  // namespace

DriverType type() { return {"push", "Takes what programs send: JSON, InfluxDB's line protocol.", shape(), make}; }

}  // namespace tidegate::drivers::push
