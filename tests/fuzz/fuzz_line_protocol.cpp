// What programs push, down to the samples: line protocol, JSON, remote write, or a document; the first byte says which.

#include <algorithm>
#include <cstdint>

#include "drivers/line_protocol.h"
#include "drivers/push/receiver.h"
#include "drivers/push/remote_write.h"
#include "tests/drivers/lines.h"
#include "tests/fuzz/strict_sink.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers;
using namespace tidegate::drivers::push;
using fuzz::must;

void check_place(std::string_view body, const Line& line) {
  must(line.text.data() >= body.data() && line.text.data() + line.text.size() <= body.data() + body.size());
  const std::string_view before(body.data(), static_cast<std::size_t>(line.text.data() - body.data()));
  must(line.number == 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')));
}

/// What is written of an accepted line is accepted, and means the same.
void check_again(const Line& line) {
  const std::string text = test::written(line);
  LineReader again(text);
  must(again.next() && again.status());
  must(again.line().measurement == line.measurement && again.line().tags == line.tags);
  must(again.line().time == line.time && again.line().fields.size() == line.fields.size());
  for (std::size_t i = 0; i < line.fields.size(); ++i) {
    const auto &a = again.line().fields[i], &b = line.fields[i];
    must(a.key == b.key && a.value.type == b.value.type && a.value.text == b.value.text);
    must(a.value.number == b.value.number);
  }
  must(!again.next());
}

void check_lines(std::string_view body) {
  LineReader lines(body, {.bytes = 4096, .tags = 8, .fields = 16, .key = 64});
  const char* end = body.data();
  while (lines.next()) {
    check_place(body, lines.line());
    must(lines.line().text.data() >= end);
    end = lines.line().text.data() + lines.line().text.size();
    if (lines.status()) {
      check_again(lines.line());
    } else {
      must(!lines.status().error().text.empty());
    }
  }
}

void check_remote_write(std::string_view body) {
  RemoteWriteReader reader(body);
  while (reader.next()) {
    if (!reader.status()) continue;
    must(!reader.series().name.empty() && reader.series().tags.size() <= RemoteWriteReader::kMostLabels);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = bytes[0];
  const std::string_view body(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  check_lines(body);
  check_remote_write(body);

  static const Options options[] = {{*Template::parse("{measurement}/{tags}/{field}", {}), {}, {}, {}, Micros{0}},
                                    {*Template::parse("{host}/{field}", {}),
                                     {},
                                     {*Pattern::parse("+/c")},
                                     {*Pattern::parse("i/#")},
                                     Micros{0},
                                     DocumentRule{*Template::parse("{/id}/{field}", {}), {}}}};
  fuzz::StrictSink sink;
  Receiver receiver(options[choice & 1u], "fuzz", sink);
  const std::chrono::nanoseconds units[] = {std::chrono::nanoseconds(1), std::chrono::microseconds(1),
                                            std::chrono::seconds(1), std::chrono::hours(1)};
  const Push::Format formats[] = {Push::Format::lines, Push::Format::json, Push::Format::prometheus,
                                  Push::Format::document};
  const Push push{body, formats[(choice >> 3) & 3u], units[(choice >> 1) & 3u], "f"};
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  // Twice: the second time by what the first has prepared.
  for (const Timestamp time : {now, now + std::chrono::seconds(1)}) {
    const auto pushed = receiver.take(push, time);
    must(pushed || !pushed.error().text.empty());
    if (pushed) must((pushed->refused == 0) == pushed->told.empty() && pushed->told.size() <= Pushed::kMostTold);
  }
  return 0;
}
