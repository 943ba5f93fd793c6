#include "drivers/binary.h"

#include <cbor.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

Leaf number_leaf(double value) {
  if (!std::isfinite(value)) return {{Reading::Type::not_a_number}};
  return {{Reading::Type::number, value}};
}
Leaf boolean_leaf(bool value) { return {{Reading::Type::boolean, value ? 1.0 : 0.0}}; }

/// Where a walk stands among maps and arrays.
class Nesting {
 public:
  explicit Nesting(Leaves& out) : out_(out) {}

  std::size_t depth() const { return levels_.size(); }
  bool key(std::string_view text) {
    if (!valid_utf8(text)) return out_.broken("a key is not UTF-8");
    levels_.back().mark = out_.descend(text);
    return true;
  }
  bool begin(bool map) {
    enter();
    if (!out_.nest(levels_.size())) return false;
    levels_.push_back({map});
    return true;
  }
  void end() {
    levels_.pop_back();
    leave();
  }
  bool value(const Leaf& leaf) {
    enter();
    const bool added = out_.add(leaf);
    leave();
    return added;
  }
  /// `lasts`: as long as the leaves.
  bool text(std::string_view text, bool lasts) {
    if (!valid_utf8(text)) return out_.broken("a text is not UTF-8");
    if (lasts) return value({{Reading::Type::text, 0, text}});
    enter();
    const bool added = out_.add_copied(text);
    leave();
    return added;
  }
  void skip() {
    enter();
    leave();
  }

 private:
  struct Level {
    bool map;
    std::size_t position = 0, mark = 0;
  };
  void enter() {
    if (levels_.empty() || levels_.back().map) return;
    levels_.back().mark = out_.descend(levels_.back().position++);
  }
  void leave() {
    if (!levels_.empty()) out_.ascend(levels_.back().mark);
  }

  Leaves& out_;
  std::vector<Level> levels_;
};

/// libcbor's stream decoder gives one item a call and knows nothing of what is around it; nor does it recurse.
class Cbor {
 public:
  Cbor(std::string_view payload, Leaves& out) : payload_(payload), out_(out), nesting_(out) {}
  void walk();

 private:
  /// An array or map that is open.
  struct Open {
    bool map, endless;
    std::uint64_t left;  ///< items; of a map keys and values
    bool key_next;
  };
  enum class Chunks : std::uint8_t { none, text, bytes };

  static const cbor_callbacks& callbacks();
  bool at_key() const { return !open_.empty() && open_.back().map && open_.back().key_next; }
  /// True for an item that may stand here as a value.
  bool may_be_value();
  void took();
  void number(double value);
  void whole(std::uint64_t value, bool negative);
  void leaf(const Leaf& leaf);
  void string(std::string_view text);
  void bytes();
  void chunks(Chunks kind);
  void container(bool map, bool endless, std::uint64_t count);
  void tag(std::uint64_t number);
  void end();

  std::string_view payload_;
  Leaves& out_;
  Nesting nesting_;
  std::vector<Open> open_;
  Chunks chunks_ = Chunks::none;
  std::string joined_;
  bool done_ = false;
};

void Cbor::walk() {
  std::size_t at = 0;
  while (!done_ && out_.problem().empty()) {
    const auto* here = reinterpret_cast<cbor_data>(payload_.data()) + at;
    const auto result = cbor_stream_decode(here, payload_.size() - at, &callbacks(), this);
    at += result.read;
    if (result.status == CBOR_DECODER_NEDATA) out_.broken("not valid CBOR: it ends too early");
    if (result.status == CBOR_DECODER_ERROR) out_.broken(fmt::format("not valid CBOR: at byte {}", at));
  }
  if (at < payload_.size()) out_.broken("not valid CBOR: something stands behind the end");
}

bool Cbor::may_be_value() {
  if (chunks_ != Chunks::none) return out_.broken("not valid CBOR: a chunk is of another kind than its string");
  return !at_key() || out_.broken("a key is neither text nor a whole number");
}

/// An item is over, and with it what it was the last of.
void Cbor::took() {
  while (!open_.empty()) {
    Open& top = open_.back();
    if (top.map) top.key_next = !top.key_next;
    if (top.endless || --top.left > 0) return;
    open_.pop_back();
    nesting_.end();
  }
  done_ = true;
}

void Cbor::leaf(const Leaf& leaf) {
  if (may_be_value() && nesting_.value(leaf)) took();
}

void Cbor::number(double value) { leaf(number_leaf(value)); }

void Cbor::whole(std::uint64_t value, bool negative) {
  if (!at_key() || chunks_ != Chunks::none) {
    number(negative ? -1 - static_cast<double>(value) : static_cast<double>(value));
    return;
  }
  // SenML's keys are numbers.
  const auto largest = static_cast<std::uint64_t>(INT64_MAX);
  const std::string text = !negative          ? std::to_string(value)
                           : value <= largest ? std::to_string(-1 - static_cast<std::int64_t>(value))
                                              : fmt::format("-1-{}", value);
  if (nesting_.key(text)) took();
}

void Cbor::string(std::string_view text) {
  if (chunks_ == Chunks::text) {
    joined_ += text;
  } else if (at_key()) {
    if (nesting_.key(text)) took();
  } else if (may_be_value() && nesting_.text(text, true)) {
    took();
  }
}

void Cbor::bytes() {
  if (chunks_ == Chunks::bytes || !may_be_value()) return;
  nesting_.skip();
  took();
}

void Cbor::chunks(Chunks kind) {
  if (chunks_ != Chunks::none || (kind == Chunks::bytes && at_key())) {
    out_.broken("not valid CBOR: a string within a string");
    return;
  }
  chunks_ = kind;
  joined_.clear();
}

void Cbor::container(bool map, bool endless, std::uint64_t count) {
  constexpr std::uint64_t kMost = 1u << 30;
  if (!may_be_value()) return;
  if (count > kMost) {
    out_.broken("not valid CBOR: it ends too early");
    return;
  }
  if (!nesting_.begin(map)) return;
  open_.push_back({map, endless, map ? 2 * count : count, true});
  if (endless || count > 0) return;
  open_.pop_back();
  nesting_.end();
  took();
}

/// Most tags say what a value means; these say that it is not what stands there.
void Cbor::tag(std::uint64_t number) {
  if (chunks_ != Chunks::none) out_.broken("not valid CBOR: a tag within a string");
  if (number >= 2 && number <= 5)
    out_.broken(fmt::format("tag {}, a {}, is not read", number, number < 4 ? "big number" : "decimal fraction"));
}

void Cbor::end() {
  if (chunks_ != Chunks::none) {
    const bool text = std::exchange(chunks_, Chunks::none) == Chunks::text;
    if (!text) {
      nesting_.skip();
      took();
    } else if (at_key() ? nesting_.key(joined_) : nesting_.text(joined_, false)) {
      took();
    }
    return;
  }
  if (open_.empty() || !open_.back().endless || (open_.back().map && !open_.back().key_next)) {
    out_.broken("not valid CBOR: an end where nothing ends");
    return;
  }
  open_.pop_back();
  nesting_.end();
  took();
}

const cbor_callbacks& Cbor::callbacks() {
  static const cbor_callbacks made = [] {
    const auto text_of = [](cbor_data data, std::size_t size) {
      return std::string_view(reinterpret_cast<const char*>(data), size);
    };
    static constexpr auto kText = text_of;
    cbor_callbacks to{};
    to.uint8 = [](void* me, std::uint8_t v) { static_cast<Cbor*>(me)->whole(v, false); };
    to.uint16 = [](void* me, std::uint16_t v) { static_cast<Cbor*>(me)->whole(v, false); };
    to.uint32 = [](void* me, std::uint32_t v) { static_cast<Cbor*>(me)->whole(v, false); };
    to.uint64 = [](void* me, std::uint64_t v) { static_cast<Cbor*>(me)->whole(v, false); };
    to.negint8 = [](void* me, std::uint8_t v) { static_cast<Cbor*>(me)->whole(v, true); };
    to.negint16 = [](void* me, std::uint16_t v) { static_cast<Cbor*>(me)->whole(v, true); };
    to.negint32 = [](void* me, std::uint32_t v) { static_cast<Cbor*>(me)->whole(v, true); };
    to.negint64 = [](void* me, std::uint64_t v) { static_cast<Cbor*>(me)->whole(v, true); };
    to.float2 = [](void* me, float v) { static_cast<Cbor*>(me)->number(static_cast<double>(v)); };
    to.float4 = [](void* me, float v) { static_cast<Cbor*>(me)->number(static_cast<double>(v)); };
    to.float8 = [](void* me, double v) { static_cast<Cbor*>(me)->number(v); };
    to.boolean = [](void* me, bool v) { static_cast<Cbor*>(me)->leaf(boolean_leaf(v)); };
    to.null = [](void* me) { static_cast<Cbor*>(me)->leaf({}); };
    to.undefined = to.null;
    to.string = [](void* me, cbor_data data, std::size_t size) { static_cast<Cbor*>(me)->string(kText(data, size)); };
    to.string_start = [](void* me) { static_cast<Cbor*>(me)->chunks(Chunks::text); };
    to.byte_string = [](void* me, cbor_data, std::size_t) { static_cast<Cbor*>(me)->bytes(); };
    to.byte_string_start = [](void* me) { static_cast<Cbor*>(me)->chunks(Chunks::bytes); };
    to.array_start = [](void* me, std::size_t n) { static_cast<Cbor*>(me)->container(false, false, n); };
    to.indef_array_start = [](void* me) { static_cast<Cbor*>(me)->container(false, true, 0); };
    to.map_start = [](void* me, std::size_t n) { static_cast<Cbor*>(me)->container(true, false, n); };
    to.indef_map_start = [](void* me) { static_cast<Cbor*>(me)->container(true, true, 0); };
    to.tag = [](void* me, std::uint64_t number) { static_cast<Cbor*>(me)->tag(number); };
    to.indef_break = [](void* me) { static_cast<Cbor*>(me)->end(); };
    return to;
  }();
  return made;
}

/// What nlohmann's reader finds. It recurses as deep as we let it.
class MessagePack final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit MessagePack(Leaves& out) : out_(out), nesting_(out) {}

  bool null() override { return nesting_.value({}); }
  bool boolean(bool value) override { return nesting_.value(boolean_leaf(value)); }
  bool number_integer(number_integer_t value) override {
    return nesting_.value(number_leaf(static_cast<double>(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return nesting_.value(number_leaf(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return nesting_.value(number_leaf(value)); }
  bool string(string_t& value) override { return nesting_.text(value, false); }
  bool binary(binary_t&) override {
    nesting_.skip();
    return true;
  }
  bool start_object(std::size_t) override { return nesting_.begin(true); }
  bool start_array(std::size_t) override { return nesting_.begin(false); }
  bool key(string_t& value) override { return nesting_.key(value); }
  bool end_object() override { return end_array(); }
  bool end_array() override {
    nesting_.end();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    return out_.broken(fmt::format("not valid MessagePack: at byte {}", position));
  }

 private:
  Leaves& out_;
  Nesting nesting_;
};

}  // namespace

void walk_cbor(std::string_view payload, Leaves& out) { Cbor(payload, out).walk(); }

void walk_msgpack(std::string_view payload, Leaves& out) {
  MessagePack reader(out);
  nlohmann::json::sax_parse(payload, &reader, nlohmann::json::input_format_t::msgpack);
}

}  // namespace tidegate::drivers
