// MQTT topics and payloads in every format. The first byte says which; up to the first zero byte stands the topic, the
// rest is the payload.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>

#include "drivers/mqtt/receiver.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers::mqtt;

void must(bool holds) {
  if (!holds) std::abort();
}

/// Holds every sample to the contract of Sample, and is as strict and as small as the gateway's own.
class StrictSink final : public Sink {
 public:
  Result<SeriesId> series(std::string_view name, const SeriesInfo&) override {
    if (!valid_series_name(name)) return fail(Errc::invalid, "no name");
    if (const auto found = names_.find(std::string(name)); found != names_.end()) return found->second;
    if (names_.size() >= 64) return fail(Errc::full, "full");
    return names_.emplace(name, SeriesId{static_cast<std::uint32_t>(names_.size())}).first->second;
  }
  Result<double> label(SeriesId series, std::string_view text) override {
    must(index(series) < names_.size() && !text.empty() && text.size() <= 255);
    return 1;
  }
  Ticket push(std::span<const Sample> samples) override {
    must(!samples.empty());
    for (const Sample& sample : samples) {
      must(index(sample.series) < names_.size());
      must(std::isfinite(sample.value));
      must(sample.quality != Quality::bad || (sample.value == 0 && sample.reason != Reason::none));
      must(sample.time >= Timestamp{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}});
    }
    return Ticket{1};
  }
  bool wait_committed(Ticket, std::stop_token) override { return true; }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view reason) override { must(!reason.empty()); }

 private:
  std::map<std::string, SeriesId> names_;
};

SubscriptionRule rule_of(unsigned choice) {
  SubscriptionRule rule;
  rule.topic = *Pattern::parse("#");
  rule.format = static_cast<Format>(choice & 3u);
  if ((choice & 4u) != 0) rule.timestamp = TimestampRule{"t", static_cast<TimeFormat>((choice >> 3) & 3u)};
  if ((choice & 32u) != 0) {
    rule.every_leaf = false;
    rule.fields = {{"a", "a", std::nullopt, "", 2, 1},
                   {"b", "b/0", SeriesKind::boolean, "", 1, 0},
                   {"s", "s", SeriesKind::state, "", 1, 0},
                   {"n", "n", SeriesKind::number, "", 1e300, 0}};
  } else {
    rule.states = {*Pattern::parse("s"), *Pattern::parse("b/#")};
    rule.ignore = {*Pattern::parse("i")};
  }
  return rule;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = bytes[0];
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::size_t zero = rest.find('\0');
  const std::string_view topic = zero == std::string_view::npos ? "t" : rest.substr(0, zero);
  const std::string_view payload = zero == std::string_view::npos ? rest : rest.substr(zero + 1);

  Options options;
  options.limits = {4096, 8, 64};
  options.subscriptions.push_back(rule_of(choice));
  StrictSink sink;
  Receiver receiver(options, "fuzz", sink);
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  // Twice: the second time by what the first has prepared.
  receiver.take({topic, payload, (choice & 64u) != 0}, now);
  receiver.take({topic, payload, false}, now + std::chrono::seconds(1));
  return 0;
}
