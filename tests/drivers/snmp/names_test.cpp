#include "drivers/snmp/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "drivers/snmp/oid.h"
#include "drivers/snmp/reading.h"

namespace tidegate::drivers::snmp {
namespace {

using testing::HasSubstr;

TEST(SnmpNames, AreObjectIdentifiersEachOnce) {
  std::set<std::string_view> names, oids;
  for (const Name& name : snmp::names()) {
    EXPECT_TRUE(names.insert(name.name).second) << name.name;
    EXPECT_TRUE(oids.insert(name.oid).second) << name.oid;
    const auto oid = Oid::parse(name.oid);
    ASSERT_TRUE(oid) << name.name;
    EXPECT_EQ(oid->text(), name.oid);
    EXPECT_EQ(find_name(name.name), &name);
    EXPECT_EQ(name_of(oid->text() + ".0"), &name);
    EXPECT_TRUE(name.words.empty() || name.kind == SeriesKind::state) << name.name;
  }
}

TEST(SnmpOid, IsNumbersOrANameWithNumbersBehindIt) {
  EXPECT_EQ(Oid::parse("1.3.6.1")->text(), "1.3.6.1");
  EXPECT_EQ(Oid::parse(".1.3.6.1")->text(), "1.3.6.1");
  EXPECT_EQ(Oid::parse("sysUpTime.0")->text(), "1.3.6.1.2.1.1.3.0");
  EXPECT_EQ(Oid::parse("ifDescr")->text(), "1.3.6.1.2.1.2.2.1.2");
  EXPECT_EQ(Oid::parse("1.3.4294967295")->text(), "1.3.4294967295");
}

TEST(SnmpOid, ThatIsNoneIsRefusedInWords) {
  for (const char* wrong : {"", ".", "1", "1.", "1..3", "3.1", "1.40.1", "1.3.4294967296", "1.3.-1", "1.3 ", "1.3.x"}) {
    const auto oid = Oid::parse(wrong);
    ASSERT_FALSE(oid) << wrong;
    EXPECT_THAT(oid.error().text, HasSubstr("1.3.6.1.2.1.1.3.0")) << wrong;
  }
  std::string endless = "1.3";
  for (int i = 0; i < 200; ++i) endless += ".1";
  EXPECT_FALSE(Oid::parse(endless));
  EXPECT_THAT(Oid::parse("ifDesc.1").error().text, HasSubstr("did you mean 'ifDescr'?"));
}

TEST(SnmpOid, KnowsItsColumnAndOrder) {
  const Oid column = *Oid::parse("1.3.6.1.2"), cell = *Oid::parse("1.3.6.1.2.7.1"), next = *Oid::parse("1.3.6.1.3");
  EXPECT_TRUE(cell.begins_with(column));
  EXPECT_FALSE(column.begins_with(cell));
  EXPECT_FALSE(next.begins_with(column));
  EXPECT_EQ(cell.behind(column).text(), "7.1");
  EXPECT_LT(column, cell);
  EXPECT_LT(cell, next);
}

TEST(SnmpText, IsShownAsTextOrInHexadecimal) {
  EXPECT_EQ(shown("eth0"), "eth0");
  EXPECT_EQ(shown(std::string("eth0\0\0", 6)), "eth0");
  EXPECT_EQ(shown("two\r\n"), "two");
  EXPECT_EQ(shown(""), "(empty)");
  EXPECT_EQ(shown(std::string("\x00\x1a\x2b", 3)), "00:1a:2b");
  EXPECT_EQ(shown("\xff\xfe"), "ff:fe");
  EXPECT_EQ(shown("grün"), "grün");
}

TEST(SnmpRows, HaveALevelOfTheirNameOrIndex) {
  const Oid index({7, 1});
  Varbind name{{}, Varbind::Type::text, 0, "GigabitEthernet0/1"};
  EXPECT_EQ(row_level(&name, index), "gigabitethernet0_1");
  name.text = "";
  EXPECT_EQ(row_level(&name, index), "7.1");
  EXPECT_EQ(row_level(nullptr, index), "7.1");
  name = {{}, Varbind::Type::number, 3, ""};
  EXPECT_EQ(row_level(&name, index), "3");
}

}  // namespace
}  // namespace tidegate::drivers::snmp
