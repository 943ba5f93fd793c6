#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/expr/expression.h"

namespace tidegate::rules::expr {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    number,  ///< with its unit: 90 °C
    time_of_day,
    word,    ///< a bare name, a function or a keyword
    path,    ///< plant/boiler1/temperature, room/+/temperature
    quoted,  ///< `a name`
    text,    ///< "a state"
    symbol   ///< + - * / ( ) , == != < <= > >=
  } kind = Kind::end;
  std::string text;  ///< number: the unit
  double value = 0;
  Micros time{-1};         ///< number: as a duration, or -1; time of day
  std::string as_written;  ///< number: where it is a duration
  Span at;
};

/// The last one is `end`.
std::variant<std::vector<Token>, Problem> tokens(std::string_view text);

bool is_keyword(std::string_view word);

}  // namespace tidegate::rules::expr
