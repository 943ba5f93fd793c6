#include "drivers/can/dbc_tokens.h"

#include <algorithm>

namespace tidegate::drivers::can {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::size_t digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

std::size_t measure_number(std::string_view text) {
  std::size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  at = digits(text, at);
  if (at < text.size() && text[at] == '.') at = digits(text, at + 1);
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+') ? 1 : 0;
    const std::size_t end = digits(text, at + 1 + sign);
    if (end > at + 1 + sign) at = end;
  }
  return at;
}

// With both quotes; a text that is not closed goes to the end.
std::size_t measure_text(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

bool begins_number(std::string_view text) {
  const bool sign = text[0] == '-' || text[0] == '+';
  return is_digit(text[0]) || (sign && text.size() > 1 && is_digit(text[1]));
}

}  // namespace

void Tokens::skip_blanks() {
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '\n') ++line_, fresh_ = true;
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
    rest_.remove_prefix(1);
  }
}

Token Tokens::next() {
  const Token before = now_;
  skip_blanks();
  now_ = {Token::Type::end, {}, line_, fresh_};
  fresh_ = false;
  if (rest_.empty()) return before;
  std::size_t size = 1;
  if (rest_.front() == '"') {
    size = measure_text(rest_);
    now_.type = Token::Type::text;
    now_.text = rest_.substr(1, size - 1);
    if (now_.text.ends_with('"') && size > 1) now_.text.remove_suffix(1);
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
  } else {
    if (begins_number(rest_)) {
      size = measure_number(rest_);
      now_.type = Token::Type::number;
    } else if (is_letter(rest_.front())) {
      while (size < rest_.size() && (is_letter(rest_[size]) || is_digit(rest_[size]))) ++size;
      now_.type = Token::Type::word;
    } else {
      now_.type = Token::Type::sign;
    }
    now_.text = rest_.substr(0, size);
  }
  rest_.remove_prefix(size);
  return before;
}

}  // namespace tidegate::drivers::can
