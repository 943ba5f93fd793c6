#include "drivers/coap/payload.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "drivers/coap/client.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::coap {
namespace {

using Json = nlohmann::json;

/// Builds the tree, but none that is deep: the library reads CBOR by calling itself.
class Shallow : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  explicit Shallow(Json& tree) : json_sax_dom_parser(tree, false) {}
  bool start_object(std::size_t size) { return deeper() && json_sax_dom_parser::start_object(size); }
  bool end_object() { return --depth_, json_sax_dom_parser::end_object(); }
  bool start_array(std::size_t size) { return deeper() && json_sax_dom_parser::start_array(size); }
  bool end_array() { return --depth_, json_sax_dom_parser::end_array(); }

 private:
  bool deeper() { return ++depth_ <= 32; }
  int depth_ = 0;
};

Result<Reading> reading_of(const Json& value, std::string& text) {
  if (value.is_null()) return Reading{Reading::Type::null};
  if (value.is_boolean()) return Reading{Reading::Type::boolean, value.get<bool>() ? 1.0 : 0.0};
  if (value.is_number()) {
    const auto number = value.get<double>();
    if (!std::isfinite(number)) return Reading{Reading::Type::not_a_number};
    return Reading{Reading::Type::number, number};
  }
  if (!value.is_string()) return fail(Errc::corrupt, "what is there is no value but a list or an object");
  text = value.get<std::string>();
  if (!valid_utf8(text)) return fail(Errc::corrupt, "what is there is no text");
  return Reading{Reading::Type::text, 0, text};
}

Result<Reading> parse_text(std::string_view payload, std::string& text) {
  double number = 0;
  const std::string_view trimmed = trim(payload);
  if (trimmed.empty()) return fail(Errc::corrupt, "the answer is empty");
  if (parse_number(trimmed, number)) return Reading{Reading::Type::number, number};
  if (!valid_utf8(trimmed)) return fail(Errc::corrupt, "the answer is no text; see format");
  text = trimmed;
  return Reading{Reading::Type::text, 0, text};
}

}  // namespace

Format format_of(unsigned content_format) {
  constexpr unsigned kJson = 50, kCbor = 60, kSenmlJson = 110, kSenmlCbor = 112;
  if (content_format == kJson || content_format == kSenmlJson) return Format::json;
  return content_format == kCbor || content_format == kSenmlCbor ? Format::cbor : Format::text;
}

Result<Reading> parse_payload(std::string_view payload, Format format, const std::string& pointer, std::string& text) {
  if (payload.size() > kMostPayload) return fail(Errc::corrupt, "the answer has more than {} bytes", kMostPayload);
  if (format != Format::json && format != Format::cbor) return parse_text(payload, text);
  // The library throws at lengths that no memory has, and at a word that asks for an item of a list.
  try {
    Json json;
    Shallow tree(json);
    const bool is_json = format == Format::json;
    const auto as = is_json ? Json::input_format_t::json : Json::input_format_t::cbor;
    if (!Json::sax_parse(payload, &tree, as))
      return fail(Errc::corrupt, "the answer is no {}", is_json ? "JSON" : "CBOR");
    const Json::json_pointer at(pointer);
    if (json.contains(at)) return reading_of(json.at(at), text);
  } catch (const Json::exception&) {
  }
  return fail(Errc::corrupt, "the answer has nothing at '{}'", pointer);
}

std::string pointer_problem(std::string_view pointer) {
  try {
    const Json::json_pointer checked{std::string(pointer)};
    return "";
  } catch (const Json::exception&) {
    return "not a JSON pointer: '' for all of it, /temperature, /sensors/0/value";
  }
}

}  // namespace tidegate::drivers::coap
