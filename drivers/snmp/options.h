#pragma once

#include <string>
#include <vector>

#include "drivers/snmp/session.h"
#include "drivers/value.h"

namespace tidegate::drivers::snmp {

/// An object that is read, or a column of a table. Its kind is in `value` where it is known before the agent answers.
struct ObjectOptions {
  std::string name;
  Oid oid;
  ValueOptions value;
};

struct PointOptions {
  ObjectOptions object;
  Micros every;
};

struct TableOptions {
  std::string name;
  Oid rows;                       ///< the column that names the rows; empty: their index does
  std::vector<std::string> only;  ///< these rows alone; empty: all
  std::vector<ObjectOptions> columns;
  Micros every;
};

struct Options {
  Access access;
  std::string prefix;
  std::size_t most_objects, most_rows;
  std::vector<PointOptions> points;
  std::vector<TableOptions> tables;
};

config::Shape shape();
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::snmp
