#include "drivers/mqtt/homeassistant/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::homeassistant {
namespace {

using Expression = ValueTemplate::Expression;
using Is = Expression::Is;

constexpr std::size_t kMaxBytes = 2048, kMaxDepth = 24;

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expression> whole() {
    Expression made = choice();
    skip_space();
    if (place_ < text_.size()) wrong();
    if (wrong_at_ != std::string_view::npos)
      return fail(Errc::invalid, "not understood from '{}' on", printable(text_.substr(wrong_at_), 40));
    return made;
  }

 private:
  /// `a if b else c`
  Expression choice() {
    if (++depth_ > kMaxDepth) return wrong();
    Expression made = comparison();
    if (take_word("if")) {
      Expression condition = comparison();
      Expression other = take_word("else") ? choice() : Expression{};
      made = {Is::choice, {}, "", {std::move(condition), std::move(made), std::move(other)}};
    }
    --depth_;
    return made;
  }

  Expression comparison() {
    Expression left = sum();
    if (take_word("is")) {
      const bool inverted = take_word("not");
      if (!take_word("defined")) return wrong();
      return {Is::defined, {}, inverted ? "not" : "", {std::move(left)}};
    }
    for (const char* sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(sign)) return {Is::comparison, {}, sign, {std::move(left), sum()}};
    }
    return left;
  }

  Expression sum() {
    Expression left = product();
    while (!failed()) {
      const char* sign = take("+") ? "+" : take("-") ? "-" : nullptr;
      if (sign == nullptr) break;
      left = {Is::arithmetic, {}, sign, {std::move(left), product()}};
    }
    return left;
  }

  Expression product() {
    Expression left = unary();
    while (!failed()) {
      const char* sign = take("*") ? "*" : take("/") ? "/" : take("%") ? "%" : nullptr;
      if (sign == nullptr) break;
      // ** and // are something else.
      if (place_ < text_.size() && (text_[place_] == '*' || text_[place_] == '/')) return wrong();
      left = {Is::arithmetic, {}, sign, {std::move(left), unary()}};
    }
    return left;
  }

  Expression unary() {
    if (++depth_ > kMaxDepth) return wrong();
    Expression made = take("-") ? Expression{Is::negative, {}, "", {unary()}} : filtered();
    --depth_;
    return made;
  }

  Expression filtered() {
    Expression made = primary();
    while (!failed() && take("|")) made = filter(std::move(made));
    return made;
  }

  Expression filter(Expression of) {
    constexpr std::array kFilters = {"float", "int",   "round",  "abs",       "default",
                                     "lower", "upper", "string", "is_defined"};
    skip_space();
    const std::size_t begin = place_;
    const std::string name(word());
    if (std::find(kFilters.begin(), kFilters.end(), name) == kFilters.end()) return wrong(begin);
    Expression made{Is::filter, {}, name, {std::move(of)}};
    if (!take("(")) return made;
    while (!failed() && !take(")")) {
      if (take_word("default")) {  // float(default=0)
        if (!take("=")) return wrong();
      }
      made.parts.push_back(choice());
      take(",");
    }
    const std::size_t most = name == "float" || name == "int" || name == "round" || name == "default" ? 2 : 1;
    return made.parts.size() > most ? wrong(begin) : made;
  }

  Expression primary() {
    skip_space();
    if (place_ >= text_.size()) return wrong();
    const char c = text_[place_];
    if (c == '\'' || c == '"') return {Is::constant, quoted(), "", {}};
    if (c >= '0' && c <= '9') return number();
    if (take("(")) {
      Expression made = choice();
      return take(")") ? made : wrong();
    }
    const std::size_t begin = place_;
    const std::string_view name = word();
    if (name == "value") return {Is::payload, {}, "", {}};
    if (name == "value_json") return path();
    if (name == "true" || name == "True") return {Is::constant, true, "", {}};
    if (name == "false" || name == "False") return {Is::constant, false, "", {}};
    if (name == "none" || name == "None") return {Is::constant, nullptr, "", {}};
    return wrong(begin);
  }

  Expression path() {
    Expression made{Is::path, {}, "", {}};
    const auto add = [&](std::string_view key) {
      if (!made.word.empty()) made.word += '/';
      made.word += key;
    };
    while (place_ < text_.size() && !failed()) {
      if (text_[place_] == '.') {
        ++place_;
        const std::string_view key = word();
        if (key.empty() || (place_ < text_.size() && text_[place_] == '(')) return wrong();  // a method
        add(key);
      } else if (text_[place_] == '[') {
        ++place_;
        skip_space();
        const bool text = place_ < text_.size() && (text_[place_] == '\'' || text_[place_] == '"');
        const std::string key = text ? quoted() : std::string(word());
        const bool position =
            !key.empty() && std::all_of(key.begin(), key.end(), [](char d) { return d >= '0' && d <= '9'; });
        if (key.empty() || (!text && !position) || !take("]")) return wrong();
        add(key);
      } else {
        break;
      }
    }
    return made;
  }

  Expression number() {
    double value = 0;
    const char* end = text_.data() + text_.size();
    const auto read = std::from_chars(text_.data() + place_, end, value, std::chars_format::fixed);
    if (read.ec != std::errc()) return wrong();
    place_ = static_cast<std::size_t>(read.ptr - text_.data());
    return {Is::constant, value, "", {}};
  }

  std::string quoted() {
    const char mark = text_[place_++];
    const std::size_t end = text_.find(mark, place_);
    const std::string_view inside = text_.substr(place_, end == std::string_view::npos ? end : end - place_);
    if (end == std::string_view::npos || inside.find('\\') != std::string_view::npos) {
      wrong();
      return "";
    }
    place_ = end + 1;
    return std::string(inside);
  }

  std::string_view word() {
    const std::size_t begin = place_;
    while (place_ < text_.size() && word_char(text_[place_])) ++place_;
    return text_.substr(begin, place_ - begin);
  }
  bool take_word(std::string_view wanted) {
    skip_space();
    const std::size_t begin = place_;
    if (word() == wanted) return true;
    place_ = begin;
    return false;
  }
  bool take(std::string_view sign) {
    skip_space();
    if (!text_.substr(std::min(place_, text_.size())).starts_with(sign)) return false;
    place_ += sign.size();
    return true;
  }
  void skip_space() {
    while (place_ < text_.size() &&
           (text_[place_] == ' ' || text_[place_] == '\t' || text_[place_] == '\n' || text_[place_] == '\r'))
      ++place_;
  }
  bool failed() const { return wrong_at_ != std::string_view::npos; }
  Expression wrong() { return wrong(place_); }
  Expression wrong(std::size_t at) {
    wrong_at_ = std::min({wrong_at_, at, text_.size()});
    place_ = text_.size();
    return {};
  }

  std::string_view text_;
  std::size_t place_ = 0, depth_ = 0;
  std::size_t wrong_at_ = std::string_view::npos;
};

}  // namespace

Result<Expression> parse_expression(std::string_view text) {
  if (text.size() > kMaxBytes) return fail(Errc::invalid, "longer than {} bytes", kMaxBytes);
  return Parser(text).whole();
}

}  // namespace tidegate::drivers::mqtt::homeassistant
