#include "gateway/uplink/mqtt/mqtt.h"

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
};

class Mqtt final : public Uplink {
 public:
  Mqtt(Options options, Context context)
      : options_(std::move(options)), context_(std::move(context)), link_(with_will(options_)) {
    const std::string status = status_topic(options_);
    link_.announce({status, R"({"state":"online"})", 1, true}, {status, R"({"state":"offline"})", 1, true});
  }

  Status reach(std::stop_token stop) override { return link_.reach(std::move(stop)); }

  Status send(Lane lane, std::span<const Parcel> parcels, std::stop_token stop) override {
    if (const Status reached = reach(stop); !reached) return reached;
    for (const Parcel& parcel : parcels) {
      if (const Status sent = link_.publish(message(lane, parcel), stop); !sent) return sent;
    }
    return link_.flush(stop);
  }

 private:
  static std::string status_topic(const Options& options) { return options.topic + "/status"; }
  static tidegate::mqtt::ConnectionOptions with_will(const Options& options) {
    auto connection = options.connection;
    connection.will = tidegate::mqtt::Will{status_topic(options), R"({"state":"offline"})", 1, true};
    return connection;
  }

  tidegate::mqtt::Outgoing message(Lane lane, const Parcel& parcel) const {
    const bool alerts = lane == Lane::alerts;
    std::string text = parcel.batch->gap ? gap_json(context_, lane, parcel)
                       : alerts          ? alerts_json(context_, parcel)
                                         : samples_json(context_, parcel);
    return {options_.topic + (alerts ? "/alerts" : "/samples"), compress(std::move(text), options_.compression), 1,
            false};
  }

  Options options_;
  Context context_;
  Link link_;
};

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
  const std::string compression = section.string("compression");
  if (compression == "gzip") options.compression = Compression::gzip;
  if (compression == "zstd") options.compression = Compression::zstd;
  return std::make_unique<Mqtt>(std::move(options), context);
}

}  // namespace

UplinkType type() {
  auto fields = tidegate::mqtt::connection_fields();
  fields.push_back(defaulted("topic", Shape::text_where("a topic", check_topic), "\"tidegate/{gateway}\"",
                             "Where to publish: TOPIC/samples, TOPIC/alerts and, retained, TOPIC/status."));
  fields.push_back(defaulted("compression", Shape::choice({"none", "gzip", "zstd"}), "none", "Of each message."));
  fields.push_back(
      defaulted("max_in_flight", Shape::integer(1, 2000), "16", "Messages on their way without acknowledgement."));
  return {"mqtt", "Publishes batches of samples and alerts as JSON to an MQTT broker, QoS 1.",
          Shape::object("An MQTT broker upstream.", std::move(fields)), &make};
}

}  // namespace tidegate::uplink::mqtt
