#include "drivers/serial/nmea.h"

#include <array>
#include <charconv>
#include <cmath>

#include "drivers/series_name.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::serial {
namespace {

constexpr double kKnot = 1852.0 / 3600;  // m/s
constexpr double kKilometreAnHour = 1 / 3.6;
constexpr double kMileAnHour = 0.44704;

using Type = Reading::Type;

bool printable_ascii(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

/// What stands between $ and *, if the checksum is right.
Result<std::string_view> checked(std::string_view text, bool needed) {
  const std::size_t star = text.rfind('*');
  if (star == std::string_view::npos) {
    if (needed) return fail(Errc::invalid, "a sentence without a checksum");
    return text;
  }
  unsigned sum = 0;
  for (const char c : text.substr(0, star)) sum ^= static_cast<unsigned char>(c);
  const std::string_view digits = text.substr(star + 1);
  unsigned said = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), said, 16);
  if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2)
    return fail(Errc::invalid, "a checksum that is not two hexadecimal digits");
  if (said != sum) return fail(Errc::invalid, "the checksum is {:02X} and should be {:02X}", said, sum);
  return text.substr(0, star);
}

/// "4807.038" and "N": degrees and minutes, as one number after it.
Reading degrees(std::string_view text, std::string_view side) {
  double number = 0;
  if (!parse_number(text, number) || number < 0 || side.size() != 1) return {};
  const double whole = std::floor(number / 100);
  const double minutes = number - whole * 100;
  const double value = whole + minutes / 60;
  const bool latitude = side == "N" || side == "S";
  if (minutes >= 60 || value > (latitude ? 90 : 180) || std::string_view("NSEW").find(side) == std::string_view::npos)
    return {Type::not_a_number};
  return {Type::number, side == "S" || side == "W" ? -value : value};
}

std::string_view word_of_quality(std::string_view digit) {
  static constexpr std::array<std::string_view, 9> kWords = {
      "no fix", "gps", "differential", "pps", "rtk", "float rtk", "estimated", "manual", "simulated"};
  const bool known = digit.size() == 1 && digit[0] >= '0' && digit[0] <= '8';
  return known ? kWords[static_cast<std::size_t>(digit[0] - '0')] : std::string_view();
}

}  // namespace

/// The fields of a sentence, numbered as the standard does: 1 is the first behind the sentence's name.
class NmeaRecords::Sentence {
 public:
  Sentence(const std::vector<std::string_view>& fields, std::vector<Leaf>& leaves, std::deque<std::string>& names)
      : fields_(fields), leaves_(leaves), names_(names) {}

  std::string_view field(std::size_t at) const { return at < fields_.size() ? fields_[at] : std::string_view(); }
  std::size_t size() const { return fields_.size(); }

  void add(std::string_view path, const Reading& reading) { leaves_.push_back(Leaf{reading, path}); }
  /// An empty field says that there is no value.
  void number(std::string_view path, std::size_t at, double factor = 1) {
    Reading reading;
    if (!field(at).empty() && !read_number(field(at), reading)) reading = {Type::text, 0, field(at)};
    reading.number *= factor;
    add(path, reading);
  }
  void position(std::string_view latitude, std::string_view longitude, std::size_t at, bool valid) {
    add(latitude, valid ? degrees(field(at), field(at + 1)) : Reading{});
    add(longitude, valid ? degrees(field(at + 2), field(at + 3)) : Reading{});
  }
  void state(std::string_view path, std::string_view word) {
    add(path, word.empty() ? Reading{} : Reading{Type::text, 0, word});
  }
  /// To the left or to the west is negative.
  void sided(std::string_view path, std::size_t at, std::string_view negative) {
    number(path, at, field(at + 1) == negative ? -1 : 1);
  }

  void gga();
  void rmc();
  void gll();
  void vtg();
  void mwv();
  void xdr();

 private:
  const std::vector<std::string_view>& fields_;
  std::vector<Leaf>& leaves_;
  std::deque<std::string>& names_;
};

void NmeaRecords::Sentence::gga() {
  const bool fix = !field(6).empty() && field(6) != "0";
  state("gga/fix", word_of_quality(field(6)));
  position("gga/latitude", "gga/longitude", 2, fix);
  number("gga/satellites", 7);
  number("gga/hdop", 8);
  if (fix) {
    number("gga/altitude", 9);
  } else {
    add("gga/altitude", {});
  }
}

void NmeaRecords::Sentence::rmc() {
  const bool valid = field(2) == "A";
  state("rmc/status", valid ? "valid" : "void");
  position("rmc/latitude", "rmc/longitude", 3, valid);
  if (!valid) {
    add("rmc/speed", {});
    add("rmc/course", {});
    return;
  }
  number("rmc/speed", 7, kKnot);
  number("rmc/course", 8);
}

void NmeaRecords::Sentence::gll() {
  const bool valid = field(6) == "A" || field(6).empty();  // older ones have no status
  position("gll/latitude", "gll/longitude", 1, valid);
}

void NmeaRecords::Sentence::vtg() {
  number("vtg/course", 1);
  number("vtg/course_magnetic", 3);
  if (!field(7).empty()) {
    number("vtg/speed", 7, kKilometreAnHour);
  } else {
    number("vtg/speed", 5, kKnot);
  }
}

void NmeaRecords::Sentence::mwv() {
  const bool relative = field(2) == "R";
  const std::string_view unit = field(4);
  const double factor = unit == "K" ? kKilometreAnHour : unit == "N" ? kKnot : unit == "S" ? kMileAnHour : 1;
  const std::string_view angle = relative ? "mwv/relative/angle" : "mwv/true/angle";
  const std::string_view speed = relative ? "mwv/relative/speed" : "mwv/true/speed";
  const bool valid = field(5) != "V";
  if (valid) {
    number(angle, 1);
    number(speed, 3, factor);
  } else {
    add(angle, {});
    add(speed, {});
  }
}

/// Transducers in fours: type, value, unit, name.
void NmeaRecords::Sentence::xdr() {
  for (std::size_t at = 1; at + 3 < size(); at += 4) {
    const std::string_view name = field(at + 3).empty() ? field(at) : field(at + 3);
    if (name.empty()) continue;
    number(names_.emplace_back("xdr/" + level_text(name, true)), at + 1);
  }
}

Result<std::span<const Leaf>> NmeaRecords::decode(std::string_view record) {
  leaves_.clear();
  names_.clear();
  fields_.clear();
  record = trim(record);
  if (record.empty() || record.front() == '!') return std::span<const Leaf>{};  // packed messages, such as AIS
  if (record.front() != '$' || !printable_ascii(record)) return fail(Errc::invalid, "no sentence that begins with $");
  const auto text = checked(record.substr(1), checksums_);
  if (!text) return fail(text.error());
  fields_ = split(*text, ',');
  if (fields_.size() > kMostFields) return fail(Errc::invalid, "more than {} fields", kMostFields);
  const std::string_view address = fields_[0];
  if (address.size() != 5 || address.front() == 'P') return std::span<const Leaf>{};
  const std::string_view type = address.substr(2);

  Sentence sentence(fields_, leaves_, names_);
  if (type == "GGA") sentence.gga();
  if (type == "RMC") sentence.rmc();
  if (type == "GLL") sentence.gll();
  if (type == "VTG") sentence.vtg();
  if (type == "MWV") sentence.mwv();
  if (type == "XDR") sentence.xdr();
  if (type == "HDT") sentence.number("hdt/heading", 1);
  if (type == "HDM") sentence.number("hdm/heading", 1);
  if (type == "HDG") {
    sentence.number("hdg/heading", 1);
    sentence.sided("hdg/deviation", 2, "W");
    sentence.sided("hdg/variation", 4, "W");
  }
  if (type == "ROT") sentence.number("rot/rate", 1);
  if (type == "DBT") sentence.number("dbt/depth", 3);
  if (type == "DPT") {
    sentence.number("dpt/depth", 1);
    sentence.number("dpt/offset", 2);
  }
  if (type == "MTW") sentence.number("mtw/temperature", 1);
  if (type == "VHW") {
    sentence.number("vhw/heading", 1);
    sentence.number("vhw/speed", 5, kKnot);
  }
  return std::span<const Leaf>(leaves_);
}

Units nmea_units() {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kUnits = {
      {{"{s}/latitude", "°"},
       {"{s}/longitude", "°"},
       {"{s}/course", "°"},
       {"{s}/course_magnetic", "°"},
       {"{s}/heading", "°"},
       {"{s}/deviation", "°"},
       {"{s}/variation", "°"},
       {"{s}/speed", "m/s"},
       {"{s}/depth", "m"},
       {"mwv/{r}/angle", "°"},
       {"mwv/{r}/speed", "m/s"},
       {"gga/altitude", "m"},
       {"dpt/offset", "m"},
       {"mtw/temperature", "°C"},
       {"rot/rate", "°/min"}}};
  Units units;
  for (const auto& [path, unit] : kUnits) units.emplace_back(*Pattern::parse(path), unit);
  return units;
}

}  // namespace tidegate::drivers::serial
