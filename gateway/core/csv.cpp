#include "gateway/core/csv.h"

#include "gateway/core/text.h"

namespace tidegate {

void append_csv_text(std::string& out, std::string_view text) {
  constexpr std::string_view kBeginsFormula = "=+-@\t\r\n";
  double number = 0;
  const bool guarded = !text.empty() && kBeginsFormula.find(text.front()) != std::string_view::npos &&
                       !(text.front() == '-' && parse_number(text, number));
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) out += '"';
  if (guarded) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quoted) out += '"';
}

}  // namespace tidegate
