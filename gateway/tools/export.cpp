#include <fmt/format.h>

#include <cstdio>

#include "gateway/tools/progress.h"
#include "gateway/tools/query.h"
#include "gateway/tools/samples.h"

namespace tidegate::tools {

Result<int> export_samples(const ExportOptions& options, const Surroundings& surroundings) {
  const auto range = parse_range(options.from, options.to, surroundings.now, {Timestamp::min(), Timestamp::max()});
  if (!range) return fail(range.error());
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  const auto series = find_series(**view, options.patterns);
  if (!series) return fail(series.error());
  Output output;
  const auto rows = Rows::make(options.format, output);
  Progress progress;
  std::uint64_t written = 0;
  const auto count = [&](std::size_t samples) {
    written += samples;
    progress.show([&] { return counted(written, "sample", "samples"); });
  };
  Status status = write_samples(**view, {*series, range->from, range->to}, *rows, surroundings.stop, count);
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  progress.clear();
  fmt::print(stderr, "{}; {} that match were looked through\n", counted(written, "sample", "samples"),
             counted(series->size(), "series", "series"));
  return verdict((*view)->reading());
}

}  // namespace tidegate::tools
