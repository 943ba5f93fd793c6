#include "drivers/record.h"

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

class JsonRecords final : public RecordDecoder {
 public:
  explicit JsonRecords(PayloadLimits limits) : decoder_(limits) {}
  Result<std::span<const Leaf>> decode(std::string_view record) override {
    return decoder_.decode(record, Format::json);
  }

 private:
  Decoder decoder_;
};

}  // namespace

std::unique_ptr<RecordDecoder> json_records(PayloadLimits limits) { return std::make_unique<JsonRecords>(limits); }

Result<Reading> reading_of_word(std::string_view word) {
  word = trim(word);
  Reading reading;
  if (word.empty()) return reading;
  if (read_number(word, reading)) return reading;
  if (word == "true" || word == "false") return Reading{Reading::Type::boolean, word == "true" ? 1.0 : 0.0};
  if (!valid_utf8(word)) return fail(Errc::invalid, "'{}' is neither a number nor text in UTF-8", printable(word, 64));
  return Reading{Reading::Type::text, 0, word};
}

}  // namespace tidegate::drivers
