#include "drivers/serial/key_value.h"

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::drivers::serial {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kEnds = " \t,;&|";

void skip(std::string_view& text, std::string_view of) {
  text.remove_prefix(std::min(text.find_first_not_of(of), text.size()));
}

/// Up to one of `ends`, which stays.
std::string_view take(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(taken.size());
  return taken;
}

}  // namespace

Result<std::span<const Leaf>> KeyValueRecords::decode(std::string_view record) {
  leaves_.clear();
  while (true) {
    skip(record, kEnds);
    if (record.empty()) return std::span<const Leaf>(leaves_);
    const std::string_view key = take(record, "=: \t,;&|");
    skip(record, kBlank);
    if (key.empty() || record.empty() || (record.front() != '=' && record.front() != ':'))
      return fail(Errc::invalid, "no '=' or ':' behind '{}'", printable(key, 64));
    if (!valid_utf8(key)) return fail(Errc::invalid, "a key that is no text in UTF-8");
    record.remove_prefix(1);
    skip(record, kBlank);
    Reading reading;
    if (record.starts_with('"')) {
      record.remove_prefix(1);
      reading = {Reading::Type::text, 0, take(record, "\"")};
      if (record.empty())
        return fail(Errc::invalid, "the value of '{}' has a quote without its end", printable(key, 64));
      record.remove_prefix(1);
      if (!valid_utf8(reading.text))
        return fail(Errc::invalid, "the value of '{}' is no text in UTF-8", printable(key, 64));
    } else {
      const auto read = reading_of_word(take(record, kEnds));
      if (!read) return fail(read.error());
      reading = *read;
    }
    if (leaves_.size() >= kMostPairs) return fail(Errc::invalid, "more than {} pairs", kMostPairs);
    leaves_.push_back(Leaf{reading, key});
  }
}

}  // namespace tidegate::drivers::serial
