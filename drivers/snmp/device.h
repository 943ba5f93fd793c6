#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "drivers/point.h"
#include "drivers/polled.h"
#include "drivers/snmp/agent.h"
#include "drivers/snmp/counter32.h"
#include "drivers/snmp/options.h"

namespace tidegate::drivers::snmp {

/// A series of an object. Where its kind is not known it is opened by the first answer.
class Object {
 public:
  Object(std::string series, const ObjectOptions& options, Micros every);
  Status open(Sink& sink);
  /// What is wrong, in words; "" where nothing is.
  std::string take(const Varbind& varbind, Turn& turn);
  void lose(Reason why, Turn& turn);

 private:
  void tell_wrap(const Varbind& varbind, Timestamp now, Turn& turn);

  Point point_;
  Micros every_;
  Counter32 count_;  ///< of a Counter32
};

/// A table and the rows of it that were seen, by name, so that they keep their series when the agent renumbers them.
class Table {
 public:
  Table(std::string prefix, TableOptions options, std::size_t most_rows);
  Result<std::string> read(Agent& agent, Turn& turn);
  void lose(Reason why, Turn& turn);

 private:
  struct Row {
    std::vector<std::optional<Object>> objects;  ///< of those columns that it had
    bool seen = false;                           ///< in this turn
  };
  std::string take_row(const std::string& name, const std::vector<std::optional<Varbind>>& cells, Turn& turn);
  void drop_unseen(Turn& turn);
  std::string missing(const std::set<std::string>& rows) const;

  const std::string prefix_;
  const TableOptions options_;
  const std::size_t most_rows_;
  std::vector<Oid> columns_;  ///< as walked: the name's first where there is one
  std::map<std::string, Row> rows_;
};

/// An agent with its points and tables, in groups that are read together.
class Device final : public PolledDevice {
 public:
  explicit Device(Options options);
  std::vector<Micros> intervals() const;

  Status open(Sink& sink) override;
  Result<std::string> read(std::size_t group, Turn& turn) override;
  void lose(std::size_t group, Reason why, Turn& turn) override;

 private:
  struct Group {
    Micros every;
    std::vector<Object> points;
    std::vector<Oid> oids;  ///< of the points
    std::vector<Table> tables;
  };

  std::vector<Group> groups_;
  Agent agent_;
};

}  // namespace tidegate::drivers::snmp
