// Lines of a file that is replayed or followed. The first byte says whether it is CSV or JSON.

#include <cstdint>

#include "drivers/csv_record.h"
#include "drivers/file/recording.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::drivers;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto format = (bytes[0] & 1u) != 0 ? file::Options::Format::csv : file::Options::Format::jsonl;
  file::RowReader reader(format, 4096);
  CsvRow row((bytes[0] & 2u) != 0 ? ';' : ',');
  bool header = true;
  for (const std::string_view line : split(text, '\n')) {
    if (const auto cells = row.split(line)) fuzz::must(!cells->empty() && cells->size() <= CsvRow::kMostCells);
    if (header && !reader.take_header(line)) return 0;
    header = false;
    const auto read = reader.read(line);
    if (!read) {
      fuzz::must(!read.error().text.empty());
      continue;
    }
    fuzz::must(valid_series_name(read->series));
    fuzz::must(read->quality == Quality::bad || read->value.type != Reading::Type::null);
  }
  return 0;
}
