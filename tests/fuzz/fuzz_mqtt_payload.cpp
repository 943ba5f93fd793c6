// MQTT topics and payloads in every format. The first byte says how they are read, the second the format; up to the
// first zero byte stands the topic, the rest is the payload.

#include <cstdint>

#include "drivers/mqtt/receiver.h"
#include "tests/fuzz/strict_sink.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers;
using namespace tidegate::drivers::mqtt;

SubscriptionRule rule_of(unsigned choice, unsigned format) {
  SubscriptionRule rule;
  rule.topic = *Pattern::parse("#");
  rule.format = static_cast<Format>(format % 7);
  if ((choice & 1u) != 0) rule.availability = AvailabilityRule{"a", {"online", "1"}, {"offline", "0"}};
  if ((choice & 2u) != 0) {
    rule.root = "b";
    rule.name = "s";
    rule.series = *Template::parse("{name}/{field}", {});
    rule.units_from = {{*Pattern::parse("+"), "s"}};
  }
  if ((choice & 4u) != 0) rule.timestamp = TimestampRule{"t", static_cast<TimeFormat>((choice >> 3) & 3u)};
  if ((choice & 32u) != 0) {
    rule.every_leaf = false;
    rule.fields = {{"a", "a", {}}, {"b", "b/0", {}}, {"s", "s", {}}, {"n", "n", {}}};
    rule.fields[0].value.scale = {2, 1};
    rule.fields[1].value.kind = SeriesKind::boolean;
    rule.fields[2].value.kind = SeriesKind::state;
    rule.fields[3].value.scale = {1e300, 0};
  } else {
    rule.states = {*Pattern::parse("s"), *Pattern::parse("b/#")};
    rule.ignore = {*Pattern::parse("i")};
  }
  return rule;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const unsigned choice = bytes[0];
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  const std::size_t zero = rest.find('\0');
  const std::string_view topic = zero == std::string_view::npos ? "t" : rest.substr(0, zero);
  const std::string_view payload = zero == std::string_view::npos ? rest : rest.substr(zero + 1);

  Options options;
  options.limits = {4096, 8, 64};
  options.subscriptions.push_back(rule_of(choice, bytes[1]));
  fuzz::StrictSink sink;
  Receiver receiver(options, "fuzz", sink);
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  // Twice: the second time by what the first has prepared.
  receiver.take({topic, payload, (choice & 128u) != 0}, now);
  receiver.take({topic, payload, false}, now + std::chrono::seconds(1));
  return 0;
}
