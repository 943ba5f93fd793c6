#include "gateway/uplink/mqtt/mqtt.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "gateway/core/pattern.h"
#include "gateway/core/text.h"
#include "gateway/uplink/mqtt/compress.h"
#include "gateway/uplink/mqtt/link.h"
#include "gateway/uplink/mqtt/payload.h"

namespace tidegate::uplink::mqtt {
namespace {

using config::defaulted;
using config::required;
using config::Shape;

struct Options {
  tidegate::mqtt::ConnectionOptions connection;
  std::string topic;
  Compression compression = Compression::none;
  std::vector<Pattern> series;
};

class Mqtt final : public Uplink {
 public:
  Mqtt(Options options, Context context)
      : options_(std::move(options)), context_(std::move(context)), link_(with_will(options_)) {
    const std::string status = status_topic(options_);
    link_.announce({status, R"({"state":"online"})", 1, true}, {status, R"({"state":"offline"})", 1, true});
  }

  Status reach(std::stop_token stop) override { return link_.reach(std::move(stop)); }
  Notice notice() const override { return link_.notice(); }

  /// A series keeps its name, so it is matched once.
  bool wants(SeriesId series) override {
    if (index(series) >= wanted_.size()) wanted_.resize(index(series) + 1);
    std::optional<bool>& known = wanted_[index(series)];
    if (!known) {
      const std::string name = context_.catalogue.entry(series).name;
      known = std::any_of(options_.series.begin(), options_.series.end(),
                          [&](const Pattern& pattern) { return pattern.matches(name); });
    }
    return *known;
  }

  Status send(Lane lane, std::span<const Parcel> parcels, std::stop_token stop) override {
    return link_.send(
        parcels, [&](const Parcel& parcel) { return Link::Messages{message(lane, parcel)}; }, std::move(stop));
  }

 private:
  static std::string status_topic(const Options& options) { return options.topic + "/status"; }
  static tidegate::mqtt::ConnectionOptions with_will(const Options& options) {
    auto connection = options.connection;
    connection.will = tidegate::mqtt::Will{status_topic(options), R"({"state":"offline"})", 1, true};
    return connection;
  }

  tidegate::mqtt::Outgoing message(Lane lane, const Parcel& parcel) const {
    return {fmt::format("{}/{}", options_.topic, name_of(lane)), compress(text(lane, parcel), options_.compression), 1,
            false};
  }
  std::string text(Lane lane, const Parcel& parcel) const {
    if (parcel.batch->gap) return gap_json(context_, lane, parcel);
    if (lane == Lane::alerts) return alerts_json(context_, parcel);
    return lane == Lane::samples ? samples_json(context_, parcel) : snapshot_json(context_, parcel);
  }

  Options options_;
  Context context_;
  Link link_;
  std::vector<std::optional<bool>> wanted_;  ///< by id
};

std::string check_pattern(std::string_view text) {
  const auto parsed = Pattern::parse(text);
  return parsed ? "" : parsed.error().text;
}

constexpr std::string_view kNoTopic = "is not a topic to publish to, which has neither + nor #";

bool is_topic(std::string_view text) { return !text.empty() && text.find_first_of("+#") == std::string_view::npos; }

std::string check_topic(std::string_view text) {
  const auto parsed = Template::parse(text, {"gateway"});
  if (!parsed) return parsed.error().text;
  return is_topic(text) ? "" : std::string(kNoTopic);
}

std::unique_ptr<Uplink> make(const config::Node& section, const Context& context, config::Problems& problems) {
  Options options;
  options.connection = tidegate::mqtt::connection_options(section, "uplink-" + context.name, problems);
  options.connection.max_in_flight = static_cast<std::size_t>(section.integer("max_in_flight"));
  const auto topic = Template::parse(section.string("topic"), {"gateway"});
  if (!problems.empty() || !topic) return nullptr;
  options.topic = topic->render([&](std::string_view) { return std::optional<std::string>(context.gateway); });
  if (!is_topic(options.topic)) {
    problems.add(section["topic"].at,
                 fmt::format("with the gateway's name in it, topic '{}' {}; write a 'topic' without "
                             "{{gateway}}, or give the gateway another 'name'",
                             printable(options.topic), kNoTopic));
    return nullptr;
  }
  for (const std::string& text : section["series"].strings()) options.series.push_back(*Pattern::parse(text));
  const std::string compression = section.string("compression");
  if (compression == "gzip") options.compression = Compression::gzip;
  if (compression == "zstd") options.compression = Compression::zstd;
  return std::make_unique<Mqtt>(std::move(options), context);
}

}  // namespace

UplinkType type() {
  auto fields = tidegate::mqtt::connection_fields();
  fields.push_back(
      defaulted("topic", Shape::text_where("a topic", check_topic), "\"tidegate/{gateway}\"",
                "Where to publish: TOPIC/samples, TOPIC/alerts, TOPIC/snapshots and, retained, TOPIC/status."));
  fields.push_back(
      defaulted("series", Shape::list(Shape::text_where("a pattern of series", check_pattern), 1'000), "[\"#\"]",
                "Samples of these series only, by name or pattern; alerts and snapshots go whatever it says."));
  fields.push_back(defaulted("compression", Shape::choice({"none", "gzip", "zstd"}), "none", "Of each message."));
  fields.push_back(
      defaulted("max_in_flight", Shape::integer(1, 2000), "16", "Messages on their way without acknowledgement."));
  return {"mqtt", "Publishes batches of samples and alerts as JSON to an MQTT broker, QoS 1.",
          Shape::object("An MQTT broker upstream.", std::move(fields)), &make};
}

}  // namespace tidegate::uplink::mqtt
