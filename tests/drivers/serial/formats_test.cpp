#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/csv_record.h"
#include "drivers/serial/key_value.h"
#include "drivers/serial/lines.h"
#include "drivers/serial/nmea.h"
#include "drivers/text_pattern.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::serial {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Each value as "path=value", or "! what is wrong".
std::vector<std::string> read(RecordDecoder& decoder, std::string_view record) {
  const auto leaves = decoder.decode(record);
  if (!leaves) return {"! " + leaves.error().text};
  std::vector<std::string> all;
  for (const Leaf& leaf : *leaves) {
    std::string text(leaf.path);
    switch (leaf.type) {
      case Leaf::Type::number:
        text += "=" + short_number(leaf.number, 9);
        break;
      case Leaf::Type::boolean:
        text += leaf.number != 0 ? "=true" : "=false";
        break;
      case Leaf::Type::text:
        text += "='" + std::string(leaf.text) + "'";
        break;
      case Leaf::Type::null:
        text += "=none";
        break;
      default:
        text += "=nan";
    }
    all.push_back(text);
  }
  return all;
}

std::string sentence(const std::string& body) {
  unsigned sum = 0;
  for (const char c : body) sum ^= static_cast<unsigned char>(c);
  return fmt::format("${}*{:02X}", body, sum);
}

std::vector<std::string> nmea(const std::string& body) {
  NmeaRecords decoder(true);
  return read(decoder, sentence(body));
}

TEST(NmeaSentences, AreReadAsTheStandardHasThem) {
  NmeaRecords decoder(true);
  // As published: the checksum is theirs.
  EXPECT_THAT(read(decoder, "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"),
              ElementsAre("gga/fix='gps'", "gga/latitude=48.1173", "gga/longitude=11.5166667", "gga/satellites=8",
                          "gga/hdop=0.9", "gga/altitude=545.4"));
  EXPECT_THAT(read(decoder, "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"),
              ElementsAre("rmc/status='valid'", "rmc/latitude=48.1173", "rmc/longitude=11.5166667",
                          "rmc/speed=11.5235556", "rmc/course=84.4"));
  EXPECT_THAT(read(decoder, "$GPGLL,4916.45,N,12311.12,W,225444,A,*1D"),
              ElementsAre("gll/latitude=49.2741667", "gll/longitude=-123.185333"));
}

TEST(NmeaSentences, TellSpeedsInMetresASecond) {
  EXPECT_THAT(nmea("GPVTG,054.7,T,034.4,M,005.5,N,036.0,K"),
              ElementsAre("vtg/course=54.7", "vtg/course_magnetic=34.4", "vtg/speed=10"));
  EXPECT_THAT(nmea("WIMWV,214.8,R,36,K,A"), ElementsAre("mwv/relative/angle=214.8", "mwv/relative/speed=10"));
  EXPECT_THAT(nmea("WIMWV,214.8,T,10,M,A"), ElementsAre("mwv/true/angle=214.8", "mwv/true/speed=10"));
  EXPECT_THAT(nmea("VWVHW,90,T,,M,3600,N,,K"), ElementsAre("vhw/heading=90", "vhw/speed=1852"));
}

TEST(NmeaSentences, OfOtherInstruments) {
  EXPECT_THAT(nmea("HEHDT,274.07,T"), ElementsAre("hdt/heading=274.07"));
  EXPECT_THAT(nmea("HCHDG,98.3,2.0,W,12.6,E"),
              ElementsAre("hdg/heading=98.3", "hdg/deviation=-2", "hdg/variation=12.6"));
  EXPECT_THAT(nmea("SDDBT,7.8,f,2.4,M,1.3,F"), ElementsAre("dbt/depth=2.4"));
  EXPECT_THAT(nmea("SDDPT,2.4,-0.5"), ElementsAre("dpt/depth=2.4", "dpt/offset=-0.5"));
  EXPECT_THAT(nmea("YXMTW,17.5,C"), ElementsAre("mtw/temperature=17.5"));
  EXPECT_THAT(nmea("WIXDR,C,21.5,C,TEMP,H,40,P,a/b,P,,B,"), ElementsAre("xdr/TEMP=21.5", "xdr/a%2Fb=40", "xdr/P=none"));
  EXPECT_THAT(nmea("HEROT,-3.5,A"), ElementsAre("rot/rate=-3.5"));
}

TEST(NmeaSentences, WithoutAFixHaveNoPosition) {
  EXPECT_THAT(nmea("GPGGA,123519,4807.038,N,01131.000,E,0,00,,545.4,M,,,,"),
              ElementsAre("gga/fix='no fix'", "gga/latitude=none", "gga/longitude=none", "gga/satellites=0",
                          "gga/hdop=none", "gga/altitude=none"));
  EXPECT_THAT(
      nmea("GPRMC,123519,V,4807.038,N,01131.000,E,22.4,84.4,230394,,"),
      ElementsAre("rmc/status='void'", "rmc/latitude=none", "rmc/longitude=none", "rmc/speed=none", "rmc/course=none"));
  EXPECT_THAT(nmea("WIMWV,214.8,R,36,K,V"), ElementsAre("mwv/relative/angle=none", "mwv/relative/speed=none"));
}

TEST(NmeaSentences, ThatSayNothingHere) {
  EXPECT_THAT(nmea("GPGSV,3,1,11,03,03,111,00"), IsEmpty());
  EXPECT_THAT(nmea("PGRME,15.0,M"), IsEmpty());
  NmeaRecords decoder(true);
  EXPECT_THAT(read(decoder, "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C"), IsEmpty());
  EXPECT_THAT(read(decoder, ""), IsEmpty());
}

TEST(NmeaSentences, ThatAreGarbled) {
  NmeaRecords decoder(true);
  EXPECT_THAT(read(decoder, "$GPHDT,274.07,T*04")[0], HasSubstr("the checksum is 04 and should be"));
  EXPECT_THAT(read(decoder, "$GPHDT,274.07,T")[0], HasSubstr("without a checksum"));
  EXPECT_THAT(read(decoder, "$GPHDT,274.07,T*0")[0], HasSubstr("two hexadecimal digits"));
  EXPECT_THAT(read(decoder, "GPHDT,274.07,T*03")[0], HasSubstr("begins with $"));
  EXPECT_THAT(read(decoder, "$GP\x01HDT,274.07,T*03")[0], HasSubstr("begins with $"));
  EXPECT_THAT(nmea("GPGLL,9100.00,N,12360.00,W,225444,A"), ElementsAre("gll/latitude=nan", "gll/longitude=nan"));
  EXPECT_THAT(nmea("GPHDT,abc,T"), ElementsAre("hdt/heading='abc'"));
  NmeaRecords lenient(false);
  EXPECT_THAT(read(lenient, "$GPHDT,274.07,T"), ElementsAre("hdt/heading=274.07"));
  EXPECT_THAT(read(lenient, "$GPHDT,274.07,T*04")[0], HasSubstr("should be"));
}

TEST(NmeaUnits, AreKnown) {
  const Units units = nmea_units();
  EXPECT_EQ(unit_of(units, "gga/latitude"), "°");
  EXPECT_EQ(unit_of(units, "vtg/speed"), "m/s");
  EXPECT_EQ(unit_of(units, "mwv/true/speed"), "m/s");
  EXPECT_EQ(unit_of(units, "dbt/depth"), "m");
}

TEST(CsvRows, HaveCellsByColumn) {
  CsvRecords decoder({"a", "", "c"}, ',');
  EXPECT_THAT(read(decoder, "1, skipped ,true,x,"), ElementsAre("a=1", "c=true", "4='x'", "5=none"));
  EXPECT_THAT(read(decoder, "\"1,5\",\"\",\"say \"\"ho\"\"\""), ElementsAre("a='1,5'", "c='say \"ho\"'"));
  EXPECT_THAT(read(decoder, "  "), IsEmpty());
  EXPECT_THAT(read(decoder, "\"1")[0], HasSubstr("quote without its end"));
  EXPECT_THAT(read(decoder, "\"1\"2")[0], HasSubstr("behind the quotes of cell 1"));
  EXPECT_THAT(read(decoder, "\xff")[0], HasSubstr("column a"));
  EXPECT_THAT(read(decoder, std::string(1000, ','))[0], HasSubstr("more than 1000 cells"));
  CsvRecords semicolons({}, ';');
  EXPECT_THAT(read(semicolons, "1;2,5;3"), ElementsAre("1=1", "2='2,5'", "3=3"));
}

TEST(KeysAndValues, AreToldApart) {
  KeyValueRecords decoder;
  EXPECT_THAT(read(decoder, "T=21.5;H=40;"), ElementsAre("T=21.5", "H=40"));
  EXPECT_THAT(read(decoder, "temp: 21.5, on : true  a=b"), ElementsAre("temp=21.5", "on=true", "a='b'"));
  EXPECT_THAT(read(decoder, "mode=\"warm up; slowly\" x="), ElementsAre("mode='warm up; slowly'", "x=none"));
  EXPECT_THAT(read(decoder, "T=21.5 nonsense")[0], HasSubstr("behind 'nonsense'"));
  EXPECT_THAT(read(decoder, "=5")[0], HasSubstr("no '=' or ':'"));
  EXPECT_THAT(read(decoder, "a=\"5")[0], HasSubstr("quote without its end"));
  EXPECT_THAT(read(decoder, "a=\xff")[0], HasSubstr("UTF-8"));
}

TEST(TextPatterns, TakeTheirNamedGroups) {
  auto decoder = std::move(*pattern_records({R"(ST,GS,\s*(?P<weight>[+-][0-9. ]+)(?P<unit>kg|g))"}));
  EXPECT_THAT(read(*decoder, "ST,GS,+  12.5kg"), ElementsAre("weight=12.5", "unit='kg'"));
  EXPECT_THAT(read(*decoder, "ST,GS,-   0.25g"), ElementsAre("weight=-0.25", "unit='g'"));
  EXPECT_THAT(read(*decoder, "US,GS,+12.5kg"), ElementsAre("! does not match the pattern"));
  auto two = std::move(*pattern_records({"a(?P<a>\\d+)", "b(?P<b>\\d+)?"}));
  EXPECT_THAT(read(*two, "b"), ElementsAre("b=none"));
  EXPECT_THAT(read(*two, "a1 b2"), ElementsAre("a=1", "b=2"));
  EXPECT_FALSE(pattern_records({"("}));
}

std::vector<std::string> cut(LineCutter& cutter, std::string_view bytes) {
  std::vector<std::string> lines;
  cutter.feed(bytes);
  for (std::string_view line; cutter.next(line);) lines.emplace_back(line);
  return lines;
}

TEST(LinesOfAStream, AreWholeHoweverTheyCome) {
  LineCutter cutter("", 100);
  EXPECT_THAT(cut(cutter, "one\r\ntw"), ElementsAre("one"));
  EXPECT_THAT(cut(cutter, "o"), IsEmpty());
  EXPECT_THAT(cut(cutter, "\rthree\n\n\nfour\n"), ElementsAre("two", "three", "four"));
}

TEST(LinesOfAStream, BeginBehindTheFirstEndWhereItWasEnteredInItsMiddle) {
  LineCutter cutter("", 100);
  cutter.reset(true);
  EXPECT_THAT(cut(cutter, "3.5\n12"), IsEmpty());
  EXPECT_THAT(cut(cutter, "3.5\n"), ElementsAre("123.5"));
}

TEST(LinesOfAStream, MayEndOtherwise) {
  LineCutter cutter("\x03\x04", 100);
  EXPECT_THAT(cut(cutter, "a\nb\x03"), IsEmpty());
  EXPECT_THAT(cut(cutter,
                  "\x04"
                  "c\x03\x04"),
              ElementsAre("a\nb", "c"));
}

TEST(LinesOfAStream, ThatAreTooLongAreLeftOutAndCountedOnce) {
  LineCutter cutter("", 5);
  EXPECT_THAT(cut(cutter, "12345\n123456\n1\n"), ElementsAre("12345", "1"));
  EXPECT_EQ(cutter.too_long(), 1u);
  for (int i = 0; i < 1000; ++i) EXPECT_THAT(cut(cutter, "0123456789"), IsEmpty());
  EXPECT_THAT(cut(cutter, "\nback\n"), ElementsAre("back"));
  EXPECT_EQ(cutter.too_long(), 2u);
}

}  // namespace
}  // namespace tidegate::drivers::serial
