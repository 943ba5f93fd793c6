// What a server answers to the driver http: Prometheus' text format, and text read by patterns. The first byte says
// which.

#include <cstdint>

#include "drivers/http/content.h"
#include "drivers/http/exposition.h"
#include "tests/fuzz/strict_sink.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers;

std::unique_ptr<http::Content> content(unsigned choice) {
  http::ContentRule rule;
  if ((choice & 1u) != 0) {
    rule.format = http::ContentRule::Format::text;
    rule.pattern = {"a(?P<a>[^,]*),(?P<s>.*)", "b(?P<b>\\S+)?"};
    rule.fields.states = {*Pattern::parse("s")};
  } else {
    rule.format = http::ContentRule::Format::prometheus;
    if ((choice & 2u) != 0) rule.metrics = {*drivers::NamePattern::parse("a.*")};
  }
  return http::make_content(
      rule, [](std::string_view field) { return "fuzz/" + std::string(field); }, std::chrono::seconds(1), 65'536);
}

void take(http::Content& content, std::string_view body, Timestamp now, fuzz::StrictSink& sink) {
  std::vector<Sample> samples;
  const auto problem = content.take(sink, body, now, samples);
  fuzz::must(problem || !problem.error().text.empty());
  if (!samples.empty()) sink.push(samples);
  samples.clear();
  content.lose(Reason::no_answer, now, samples);
  if (!samples.empty()) sink.push(samples);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view page(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  for (http::ExpositionReader reader(page); reader.next();) {
    const http::Metric& metric = reader.metric();
    fuzz::must(!metric.text.empty());
    if (!reader.status()) continue;
    fuzz::must(!metric.name.empty() && metric.labels.size() <= http::ExpositionReader::kMostLabels);
    fuzz::must(metric.identity.starts_with(metric.name));
  }
  fuzz::StrictSink sink;
  const auto made = content(bytes[0]);
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  take(*made, page, now, sink);
  take(*made, page.substr(page.size() / 2), now + std::chrono::seconds(1), sink);
  return 0;
}
