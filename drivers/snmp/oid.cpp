#include "drivers/snmp/oid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "drivers/snmp/names.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::snmp {
namespace {

bool add_numbers(std::string_view text, std::vector<std::uint32_t>& numbers) {
  for (const std::string_view part : split(text, '.')) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (part.empty() || error != std::errc() || end != part.data() + part.size()) return false;
    numbers.push_back(number);
  }
  return numbers.size() <= Oid::kMostNumbers;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

tl::unexpected<Error> refuse(std::string_view text) {
  return fail(Errc::invalid,
              "'{}' is no object identifier: numbers with dots, as in 1.3.6.1.2.1.1.3.0, or a known "
              "name, as in ifHCInOctets.2",
              printable(text, 128));
}

}  // namespace

Result<Oid> Oid::parse(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  std::string_view rest = text;
  if (rest.starts_with('.')) rest.remove_prefix(1);
  if (!rest.empty() && !is_digit(rest.front())) {
    const std::string_view word = rest.substr(0, rest.find('.'));
    const Name* name = find_name(word);
    if (name == nullptr) {
      return fail(Errc::invalid, "'{}' is no known name{}; every object has numbers, as in 1.3.6.1.2.1.1.3.0",
                  printable(word, 128), did_you_mean(word, known_names()));
    }
    add_numbers(name->oid, numbers);
    if (word.size() == rest.size()) return Oid(std::move(numbers));
    rest.remove_prefix(word.size() + 1);
  }
  if (!add_numbers(rest, numbers) || numbers.size() < 2) return refuse(text);
  // X.660: what the first two numbers may be, and all that BER can say of them.
  if (numbers[0] > 2 || (numbers[0] < 2 && numbers[1] >= 40)) return refuse(text);
  return Oid(std::move(numbers));
}

bool Oid::begins_with(const Oid& column) const {
  return numbers_.size() >= column.numbers_.size() &&
         std::equal(column.numbers_.begin(), column.numbers_.end(), numbers_.begin());
}

Oid Oid::behind(const Oid& column) const {
  return Oid({numbers_.begin() + static_cast<std::ptrdiff_t>(column.numbers_.size()), numbers_.end()});
}

std::string Oid::text() const { return fmt::format("{}", fmt::join(numbers_, ".")); }

}  // namespace tidegate::drivers::snmp
