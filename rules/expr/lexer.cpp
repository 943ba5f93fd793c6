#include "rules/expr/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/units.h"

namespace tidegate::rules::expr {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool in_unit(char c) { return (letter(c) && c != '_') || beyond_ascii(c) || c == '%'; }
/// What may stand in a path, beside the `/` between its levels.
bool in_level(char c) {
  return letter(c) || digit(c) || beyond_ascii(c) || std::string_view("-.:{}+#").find(c) != std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::variant<std::vector<Token>, Problem> run() {
    for (;;) {
      while (space(peek())) ++at_;
      Token token;
      token.at.begin = at_;
      if (at_ < text_.size()) read(token);
      if (problem_) return std::move(*problem_);
      token.at.end = at_;
      tokens_.push_back(std::move(token));
      if (tokens_.back().kind == Token::Kind::end) return std::move(tokens_);
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void fail(Span at, std::string text) {
    if (!problem_) problem_ = Problem{at, std::move(text)};
  }

  void read(Token& token) {
    const char c = peek();
    if (digit(c) || (c == '.' && digit(peek(1)))) return number(token);
    if (letter(c) || c == '{' || beyond_ascii(c) || c == '#' || (c == '+' && peek(1) == '/' && !after_operand()))
      return name(token);
    if (c == '`' || c == '"') return quoted(token, c);
    if (text_.substr(at_).starts_with("<>")) return fail({at_, at_ + 2}, "'<>' is written !=");
    for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ","}) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      token.kind = Token::Kind::symbol;
      token.text = symbol;
      at_ += symbol.size();
      return;
    }
    odd(c);
  }

  bool after_operand() const {
    if (tokens_.empty()) return false;
    const Token& last = tokens_.back();
    return last.kind != Token::Kind::symbol ? !is_keyword(last.text) : last.text == ")";
  }

  void odd(char c) {
    const Span here{at_, at_ + 1};
    if (c == '=') return fail(here, "'=' compares nothing: write == for equal");
    if (c == '!') return fail(here, "'!' is written not");
    if (c == '&') return fail(here, "'&' is written and");
    if (c == '|') return fail(here, "'|' is written or");
    if (c == '^') return fail(here, "there are no powers: write x * x");
    if (c == '%') return fail(here, "'%' is a unit, which stands behind a number: 5 %");
    if (c == '\'') return fail(here, "a state's text stands in double quotes: \"open\"");
    if (c == '[' || c == ']') return fail(here, "a window is an argument of its function: avg(value, 5m)");
    fail(here, fmt::format("'{}' has no meaning here", printable(text_.substr(at_, 1))));
  }

  void number(Token& token) {
    if (time_of_day(token)) return;
    token.kind = Token::Kind::number;
    const std::size_t begin = at_;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), token.value);
    at_ = static_cast<std::size_t>(end - text_.data());
    if (error != std::errc{}) return fail({begin, at_}, "this number is beyond what a double can hold");
    const std::size_t digits_end = at_;
    while (peek() == ' ') ++at_;
    token.text = unit();
    if (token.text.empty()) {
      at_ = digits_end;
      if (peek() == ',' && digit(peek(1)) && !in_call())
        fail({at_, at_ + 1}, "a decimal point is a point: write 2.5, not 2,5");
      return;
    }
    if (token.text.starts_with('/') && !parse_rate_unit(token.text))
      return fail({begin, at_}, "to divide, put spaces around the /");
    if (text_[digits_end] == ' ') return;
    const std::string_view whole = text_.substr(begin, at_ - begin);
    if (const auto time = parse_duration(whole)) {
      token.time = *time;
      token.as_written = whole;
    }
  }

  /// Within parentheses a comma parts arguments.
  bool in_call() const {
    int open = 0;
    for (const Token& token : tokens_) open += token.text == "(" ? 1 : token.text == ")" ? -1 : 0;
    return open > 0;
  }

  /// "°C", "%/h", "m3", "/h"; nothing where a keyword follows.
  std::string unit() {
    const std::size_t begin = at_;
    const auto part = [this] {
      while (in_unit(peek()) || (digit(peek()) && at_ > 0 && (in_unit(text_[at_ - 1]) || digit(text_[at_ - 1])))) ++at_;
    };
    if (peek() != '/') part();
    while (peek() == '/' && in_unit(peek(1))) {
      ++at_;
      part();
    }
    const std::string_view read = text_.substr(begin, at_ - begin);
    if (!is_keyword(read)) return std::string(read);
    at_ = begin;
    return {};
  }

  /// 06:30
  bool time_of_day(Token& token) {
    std::size_t hour_digits = digit(peek(1)) ? 2 : 1;
    if (peek(hour_digits) != ':' || !digit(peek(hour_digits + 1))) return false;
    int hour = 0, minute = 0;
    for (std::size_t i = 0; i < hour_digits; ++i) hour = hour * 10 + (text_[at_ + i] - '0');
    const Span here{at_, std::min(at_ + hour_digits + 3, text_.size())};
    const bool two = digit(peek(hour_digits + 2)) && !digit(peek(hour_digits + 3));
    if (two) minute = (peek(hour_digits + 1) - '0') * 10 + (peek(hour_digits + 2) - '0');
    at_ = here.end;
    token.kind = Token::Kind::time_of_day;
    token.time = std::chrono::hours(hour) + std::chrono::minutes(minute);
    if (!two || minute > 59 || token.time > std::chrono::hours(24))
      fail(here, "a time of day is written 06:30, from 00:00 to 24:00");
    return true;
  }

  /// A path has a `/` with no space around it; else it is a word.
  void name(Token& token) {
    std::size_t end = at_;
    bool is_path = peek() == '{' || peek() == '#';
    while (end < text_.size() &&
           (in_level(text_[end]) || (text_[end] == '/' && end + 1 < text_.size() && in_level(text_[end + 1])))) {
      is_path = is_path || text_[end] == '/';
      ++end;
    }
    if (is_path) {
      token.kind = Token::Kind::path;
      token.text = text_.substr(at_, end - at_);
      at_ = end;
      return check_path(token);
    }
    const std::size_t begin = at_;
    while (letter(peek()) || digit(peek())) ++at_;
    if (beyond_ascii(peek())) {
      while (letter(peek()) || digit(peek()) || beyond_ascii(peek())) ++at_;
      return fail({begin, at_},
                  fmt::format("a name with other signs than letters, digits and _ stands in backticks: `{}`",
                              printable(text_.substr(begin, at_ - begin))));
    }
    token.kind = Token::Kind::word;
    token.text = text_.substr(begin, at_ - begin);
  }

  void check_path(const Token& token) {
    const std::string_view path = token.text;
    const std::string_view first = path.substr(0, path.find('/')), last = path.substr(path.rfind('/') + 1);
    double number = 0;
    if (first != "value" && !first.starts_with("value-") && !first.starts_with("value+") && !parse_number(last, number))
      return;
    std::string spaced;
    for (const char c : path) spaced += c == '/' ? std::string(" / ") : std::string(1, c);
    fail({token.at.begin, at_}, fmt::format("'{}' reads as the name of a series, for the / has no spaces around it: to "
                                            "divide write {}; if it is a name, put it in backticks",
                                            printable(path), printable(spaced)));
  }

  void quoted(Token& token, char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos)
      return fail({at_, text_.size()}, fmt::format("the {} that begins here has no end", quote));
    token.kind = quote == '`' ? Token::Kind::quoted : Token::Kind::text;
    token.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (token.text.empty()) fail({token.at.begin, at_}, "there is nothing between these quotes");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
  std::optional<Problem> problem_;
};

}  // namespace

bool is_keyword(std::string_view word) {
  constexpr std::array<std::string_view, 7> kKeywords{"and", "or", "not", "then", "within", "true", "false"};
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

std::variant<std::vector<Token>, Problem> tokens(std::string_view text) { return Lexer(text).run(); }

}  // namespace tidegate::rules::expr
