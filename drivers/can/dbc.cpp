#include "drivers/can/dbc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "drivers/can/dbc_tokens.h"
#include "drivers/can/transport.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::can {
namespace {

constexpr std::size_t kMostMessages = 5'000, kMostSignals = 512, kMostWords = 256;
// Of a frame, and of a J1939 group of several, which has an identifier of 29 bits.
constexpr std::size_t kMostBytes = kMostFrameBytes, kMostGroupBytes = Transport::kMostBytes;
constexpr std::uint32_t kExtended = 1u << 31u;

/// Thrown at what is wrong, caught in parse_dbc().
struct Wrong {
  int line;
  std::string what;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  Dbc parse() {
    while (tokens_.now().type != Token::Type::end) {
      const Token word = tokens_.next();
      line_ = word.first ? word.line : line_;
      if (!word.first || word.type != Token::Type::word) continue;
      if (word.text == "BO_") read_message();
      if (word.text == "SG_") read_signal();
      if (word.text == "VAL_") read_words();
      if (word.text == "SIG_VALTYPE_") read_type();
    }
    for (const Message& message : dbc_.messages) check(message);
    return std::move(dbc_);
  }

 private:
  [[noreturn]] void wrong(std::string what) const { throw Wrong{line_, std::move(what)}; }

  std::string_view word(const char* what) {
    if (tokens_.now().type != Token::Type::word) {
      wrong(fmt::format("{} is missing, and '{}' stands there", what, printable(tokens_.now().text, 32)));
    }
    return tokens_.next().text;
  }
  void sign(char expected) {
    if (!tokens_.is(expected)) {
      wrong(fmt::format("'{}' is missing, and '{}' stands there", expected, printable(tokens_.now().text, 32)));
    }
    tokens_.next();
  }
  double number(const char* what) {
    double value = 0;
    if (tokens_.now().type != Token::Type::number || !parse_number(plain(tokens_.now().text), value)) {
      wrong(fmt::format("{} is no number: '{}'", what, printable(tokens_.now().text, 32)));
    }
    tokens_.next();
    return value;
  }
  std::uint64_t whole(const char* what, std::uint64_t most) {
    std::uint64_t value = 0;
    const std::string_view text = tokens_.now().text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool all = error == std::errc() && end == text.data() + text.size();
    if (tokens_.now().type != Token::Type::number || !all || value > most) {
      wrong(fmt::format("{} is no whole number up to {}: '{}'", what, most, printable(text, 32)));
    }
    tokens_.next();
    return value;
  }
  static std::string_view plain(std::string_view number) { return number.starts_with('+') ? number.substr(1) : number; }

  // Files are in UTF-8, or in Latin-1 as of old.
  static std::string utf8(std::string_view text) {
    if (valid_utf8(text)) return std::string(text);
    std::string made;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        made += c;
      } else {
        made += static_cast<char>(0xC0u | (byte >> 6u));
        made += static_cast<char>(0x80u | (byte & 0x3Fu));
      }
    }
    return made;
  }

  // BO_ 2364540158 EEC1: 8 Engine
  void read_message() {
    Message message;
    const auto id = static_cast<std::uint32_t>(whole("a message's number", UINT32_MAX));
    message.extended = (id & kExtended) != 0;
    message.id = id & ~kExtended;
    if (message.id > (message.extended ? 0x1FFFFFFFu : 0x7FFu) && id != 0xC0000000u) wrong("no such identifier");
    message.name = word("a message's name");
    sign(':');
    message.bytes = static_cast<std::size_t>(whole("a message's length", UINT32_MAX));
    word("a sender");
    // Signals without a message stand under this one.
    in_message_ = id != 0xC0000000u;
    if (!in_message_) return;
    if (message.bytes > (message.extended ? kMostGroupBytes : kMostBytes)) {
      wrong(fmt::format("a message has at most {} bytes, and {} with an identifier of 29 bits (J1939)", kMostBytes,
                        kMostGroupBytes));
    }
    if (dbc_.messages.size() >= kMostMessages) wrong("there are too many messages");
    if (!ids_.insert(id).second) wrong(fmt::format("the message {} is there twice", id));
    dbc_.messages.push_back(std::move(message));
  }

  // SG_ EngineSpeed m1 : 24|16@1+ (0.125,0) [0|8031.875] "rpm" Receiver,Another
  void read_signal() {
    Signal signal;
    signal.name = word("a signal's name");
    if (tokens_.now().type == Token::Type::word) read_role(signal);
    sign(':');
    signal.start = static_cast<unsigned>(whole("a signal's start", kMostGroupBytes * 8 - 1));
    sign('|');
    signal.length = static_cast<unsigned>(whole("a signal's length", 64));
    sign('@');
    signal.motorola = whole("a byte order", 1) == 0;
    if (tokens_.is('-')) {
      signal.type = Signal::Type::signed_integer;
    } else if (!tokens_.is('+')) {
      wrong("'+' or '-' is missing");
    }
    tokens_.next();
    sign('(');
    signal.scale = number("a scale");
    sign(',');
    signal.offset = number("an offset");
    sign(')');
    sign('[');
    number("a minimum");
    sign('|');
    number("a maximum");
    sign(']');
    if (tokens_.now().type != Token::Type::text) wrong("a unit in quotes is missing");
    signal.unit = utf8(tokens_.next().text);
    if (!in_message_) return;
    if (dbc_.messages.empty()) wrong("a signal stands before any message");
    Message& message = dbc_.messages.back();
    if (!fits(signal, message.bytes)) {
      wrong(
          fmt::format("the signal {} does not fit into the {} bytes of {}", signal.name, message.bytes, message.name));
    }
    if (message.signals.size() >= kMostSignals) wrong("there are too many signals");
    if (find(message, signal.name) != nullptr) wrong(fmt::format("the signal {} is there twice", signal.name));
    message.signals.push_back(std::move(signal));
  }

  void read_role(Signal& signal) {
    const std::string_view role = tokens_.next().text;
    if (role == "M") {
      signal.role = Signal::Role::selector;
      return;
    }
    const std::string_view digits = role.substr(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), signal.selector);
    if (role[0] != 'm' || error != std::errc() || end != digits.data() + digits.size()) {
      wrong(fmt::format("'{}' is no M and no m with a number; a selector under a selector is not understood",
                        printable(role, 32)));
    }
    signal.role = Signal::Role::selected;
  }

  // VAL_ 100 Gear 0 "neutral" 1 "first" ;
  void read_words() {
    if (tokens_.now().type == Token::Type::word) return;  // of an environment's variable
    const std::uint64_t id = whole("a message's number", UINT32_MAX);
    Signal* signal = find(id, word("a signal's name"));
    while (tokens_.now().type == Token::Type::number) {
      const double value = number("a value");
      if (tokens_.now().type != Token::Type::text) wrong("a value's text is missing");
      std::string text = utf8(tokens_.next().text);
      if (signal == nullptr || text.empty()) continue;
      if (signal->words.size() >= kMostWords) wrong("there are too many values");
      signal->words.emplace_back(value, std::move(text));
    }
    sign(';');
  }

  // SIG_VALTYPE_ 100 Flow : 1;
  void read_type() {
    const std::uint64_t id = whole("a message's number", UINT32_MAX);
    Signal* signal = find(id, word("a signal's name"));
    if (tokens_.is(':')) tokens_.next();
    const std::uint64_t type = whole("a type", 3);
    if (signal == nullptr || type == 0) return;
    const unsigned length = type == 1 ? 32 : 64;
    if (type == 3 || signal->length != length) wrong("a floating-point signal has 32 bits (1) or 64 (2)");
    signal->type = type == 1 ? Signal::Type::float32 : Signal::Type::float64;
  }

  static Signal* find(Message& message, std::string_view name) {
    for (Signal& signal : message.signals) {
      if (signal.name == name) return &signal;
    }
    return nullptr;
  }
  Signal* find(std::uint64_t id, std::string_view name) {
    for (Message& message : dbc_.messages) {
      if ((message.id | (message.extended ? kExtended : 0)) == id) return find(message, name);
    }
    return nullptr;
  }

  void check(const Message& message) const {
    const auto count = [&](Signal::Role role) {
      return std::count_if(message.signals.begin(), message.signals.end(),
                           [&](const auto& s) { return s.role == role; });
    };
    const auto selectors = count(Signal::Role::selector);
    if (selectors > 1) wrong(fmt::format("the message {} has two selectors", message.name));
    if (selectors == 0 && count(Signal::Role::selected) > 0) wrong(fmt::format("{} has no selector", message.name));
  }

  Tokens tokens_;
  int line_ = 1;  ///< where the statement begins that is read
  Dbc dbc_;
  std::set<std::uint32_t> ids_;
  bool in_message_ = false;
};

}  // namespace

Result<Dbc> parse_dbc(std::string_view text) {
  try {
    return Parser(text).parse();
  } catch (const Wrong& wrong) {
    return fail(Errc::invalid, "line {}: {}", wrong.line, wrong.what);
  }
}

}  // namespace tidegate::drivers::can
