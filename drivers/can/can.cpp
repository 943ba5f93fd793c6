#include "drivers/can/can.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "drivers/files.h"
#include "drivers/poller.h"

namespace tidegate::drivers::can {
namespace {

using config::defaulted;
using config::Node;
using config::Problems;
using config::required;
using config::Shape;

class Listener final : public Driver {
 public:
  Listener(std::unique_ptr<Decoder> decoder, Bus::Open open, std::string what, const Context& context,
           Micros first_rest)
      : decoder_(std::move(decoder)),
        bus_(std::move(open)),
        what_(std::move(what)),
        context_(context),
        lost_(context.metrics.counter("source/" + context.source + "/lost_messages", "messages",
                                      "Messages of several frames of which not all frames came.")),
        first_rest_(first_rest) {}

  Status run(Sink& sink, std::stop_token stop) override {
    constexpr Micros kLongestRest = std::chrono::minutes(1);
    const Status opened = decoder_->open(sink);
    refused_ = opened ? "" : opened.error().text;
    Backoff rest(first_rest_, kLongestRest, std::hash<std::string>{}(context_.source));
    while (!stop.stop_requested()) {
      Status status = bus_.open();
      if (status) {
        rest.reset();
        decoder_->begin(context_.clock.now());
        status = listen(sink, stop);
      }
      if (status) continue;
      samples_.clear();
      decoder_->lose_all(context_.clock.now(), samples_);
      count_losses();
      if (!samples_.empty()) sink.push(samples_);
      sink.report(SourceHealth::down, status.error().text);
      sleep_for(rest.next(), stop);
    }
    return {};
  }

 private:
  Status listen(Sink& sink, const std::stop_token& stop) {
    constexpr Micros kMoment = std::chrono::milliseconds(100);
    bool bus_off = false;
    while (!stop.stop_requested()) {
      frames_.clear();
      samples_.clear();
      const Status received = bus_.receive(kMoment, frames_);
      const Timestamp now = context_.clock.now();
      for (const Frame& frame : frames_) {
        bus_off = frame.bus_off;
        if (!frame.bus_off) decoder_->take(frame, now, sink, samples_);
      }
      decoder_->look_for_silence(now, samples_);
      count_losses();
      if (!samples_.empty()) sink.push(samples_);
      if (!received) return received;
      report(bus_off, sink);
    }
    return {};
  }

  void count_losses() { lost_.add(static_cast<double>(decoder_->take_lost())); }

  void report(bool bus_off, Sink& sink) const {
    const std::string trouble =
        bus_off ? "the controller is off the bus: look at wiring, termination and bit rate" : decoder_->trouble();
    const std::string& all = trouble.empty() ? refused_ : trouble;
    sink.report(bus_off       ? SourceHealth::down
                : all.empty() ? SourceHealth::up
                              : SourceHealth::degraded,
                all.empty() ? what_ : all);
  }

  const std::unique_ptr<Decoder> decoder_;
  Bus bus_;
  const std::string what_;
  std::string refused_;
  const Context context_;
  Metric& lost_;
  const Micros first_rest_;
  std::vector<Frame> frames_;
  std::vector<Sample> samples_;
};

std::string series_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "not a series' name: levels with / between, none of + # { }";
}

Shape signal_shape() {
  std::vector<Shape::Field> fields = {
      required("signal", Shape::text(), "MESSAGE/SIGNAL, as in the DBC file."),
      config::optional("name", Shape::text_where("a series' name", series_problem), "Its series; missing: as signal.")};
  for (Shape::Field& field : value_fields()) fields.push_back(std::move(field));
  return Shape::object("A signal with options of its own.", std::move(fields));
}

Shape shape() {
  static const Shape made = Shape::object(
      "Listens to a CAN bus and reads the signals that a DBC file describes.",
      {required("interface", Shape::text(), "The network interface: can0."),
       required("dbc", Shape::path(), "The DBC file."),
       defaulted("prefix", Shape::text(), "''", "What the series' names begin with; empty: the source's name."),
       defaulted(
           "every", Shape::duration(Micros{0}, std::chrono::hours(1)), "1s",
           "At most one sample of a signal each so long, of the first message that comes then; 0s: of every one."),
       defaulted("silent_after", Shape::duration(Micros{0}, std::chrono::hours(24)), "5s",
                 "The signals of a message that has not come for so long are bad; 0s: never."),
       defaulted("messages", Shape::list(Shape::text()), "[]", "These messages alone; empty: all of the file."),
       defaulted("j1939", Shape::boolean(), "false",
                 "Messages are known by their parameter group (PGN), whoever sends them with whatever priority, in one "
                 "frame or several."),
       config::optional("sender", Shape::integer(0, 253), "With j1939: this source address alone."),
       defaulted("signals", Shape::list(signal_shape()), "[]", "Signals with names and more of their own.")});
  return made;
}

// The wanted messages of the file.
Result<Dbc> read_dbc(const Node& section, Problems& problems) {
  const auto text = read_file(section.string("dbc"));
  if (!text) return fail(text.error());
  auto dbc = parse_dbc(*text);
  if (!dbc) return dbc;
  const std::vector<std::string> wanted = section["messages"].strings();
  for (const Node& name : section["messages"].items) {
    const bool there = std::any_of(dbc->messages.begin(), dbc->messages.end(),
                                   [&](const Message& message) { return message.name == name.string(); });
    if (!there) problems.add(name.at, fmt::format("the DBC file has no message '{}'", name.string()));
  }
  std::erase_if(dbc->messages, [&](const Message& message) {
    return !wanted.empty() && std::find(wanted.begin(), wanted.end(), message.name) == wanted.end();
  });
  for (const Message& message : dbc->messages) {
    if (message.bytes <= kMostFrameBytes || section.boolean("j1939")) continue;
    return fail(Errc::invalid,
                "the message {} has {} bytes, more than a frame: set j1939: true, or list `messages` without it",
                message.name, message.bytes);
  }
  return dbc;
}

void read_signals(const Node& section, const Dbc& dbc, Options& options, Problems& problems) {
  for (const Node& node : section["signals"].items) {
    Options::SignalOptions signal{node.string("signal"), node.has("name") ? node.string("name") : "",
                                  read_value(node, problems)};
    const bool there = std::any_of(dbc.messages.begin(), dbc.messages.end(), [&](const Message& message) {
      return std::any_of(message.signals.begin(), message.signals.end(),
                         [&](const Signal& of) { return message.name + '/' + of.name == signal.signal; });
    });
    if (!there) problems.add(node["signal"].at, fmt::format("the DBC file has no signal '{}'", signal.signal));
    options.signals.push_back(std::move(signal));
  }
}

std::unique_ptr<Driver> make(const Node& section, const Context& context, Problems& problems) {
  Problems own;
  Options options;
  options.prefix = section.string("prefix").empty() ? section.string("name") : section.string("prefix");
  if (!valid_series_name(options.prefix)) own.add(section["prefix"].at, "prefix is no series' name");
  options.every = section.duration("every");
  options.silent_after = section.duration("silent_after");
  options.j1939 = section.boolean("j1939");
  if (section.has("sender")) options.sender = static_cast<std::uint32_t>(section.integer("sender"));
  if (options.sender && !options.j1939) own.add(section["sender"].at, "sender is of j1939: true");
  auto dbc = read_dbc(section, own);
  if (!dbc) own.add(section["dbc"].at, dbc.error().text);
  if (dbc) read_signals(section, *dbc, options, own);
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  auto decoder = std::make_unique<Decoder>(std::move(*dbc), options);
  std::string what = fmt::format("{}: {} signals", section.string("interface"), decoder->signals());
  return make_listener(std::move(decoder), on_interface(section.string("interface")), std::move(what), context);
}

}  // namespace

std::unique_ptr<Driver> make_listener(std::unique_ptr<Decoder> decoder, Bus::Open open, std::string what,
                                      const Context& context, Micros first_rest) {
  return std::make_unique<Listener>(std::move(decoder), std::move(open), std::move(what), context, first_rest);
}

DriverType type() { return {"can", "Machines and vehicles on a CAN bus, by a DBC file; J1939.", shape(), make}; }

}  // namespace tidegate::drivers::can
