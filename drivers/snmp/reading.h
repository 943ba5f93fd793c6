#pragma once

#include <string>

#include "drivers/reading.h"
#include "drivers/snmp/session.h"

namespace tidegate::drivers::snmp {

/// An octet string as a text: as it is where it can be read, "(empty)", or in hexadecimal, as 00:1a:2b, and cut.
std::string shown(const std::string& bytes);
/// What there is to read in a varbind that is not `nothing`; the text lives in `text`.
Reading reading_of(const Varbind& varbind, std::string& text);
/// What a series of it is unless it is told otherwise.
SeriesKind kind_of(const Varbind& varbind);
/// A row's level of a series' name, of a column's value or, where that names nothing, of its index.
std::string row_level(const Varbind* name, const Oid& index);

}  // namespace tidegate::drivers::snmp
