#pragma once

#include <string>
#include <string_view>

namespace tidegate::drivers::can {

/// A word, a number, a text in quotes, a sign, or the end.
struct Token {
  enum class Type : unsigned char { word, number, text, sign, end };
  Type type = Type::end;
  std::string_view text{};  ///< without the quotes
  int line = 1;
  bool first = false;  ///< of its line
};

/// Cuts a DBC file up. What stands in it lives as long as the text.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) { next(); }
  const Token& now() const { return now_; }
  Token next();  ///< the one that was, and goes on
  bool is(char sign) const { return now_.type == Token::Type::sign && now_.text[0] == sign; }

 private:
  void skip_blanks();

  std::string_view rest_;
  Token now_;
  int line_ = 1;
  bool fresh_ = true;
};

}  // namespace tidegate::drivers::can
