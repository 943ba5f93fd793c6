#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "drivers/snmp/session.h"

namespace tidegate::drivers::snmp {

/// The rows of a table: by index, of each column what is there.
using Rows = std::map<Oid, std::vector<std::optional<Varbind>>>;

struct Walked {
  Rows rows;
  std::string trouble;  ///< the table is not whole; "" where it is
};

/// Asks one agent for as much as it can say at once, for at most kLongest a call. One thread.
class Agent {
 public:
  static constexpr std::chrono::seconds kLongest{30};

  /// `most`: objects in one request, or in the answer to one; fewer are asked for from then on where that is too big.
  Agent(Access access, std::size_t most) : session_(std::move(access)), most_(most) {}

  /// A varbind for each, in order; what the agent lacks is `nothing`. Errors as Session's.
  Result<std::vector<Varbind>> get(const std::vector<Oid>& oids, const std::stop_token& stop);
  /// All rows, at most `most_rows`, of these columns.
  Result<Walked> walk(const std::vector<Oid>& columns, std::size_t most_rows, const std::stop_token& stop);

 private:
  struct Column;
  Result<std::vector<Varbind>> get_some(std::span<const Oid> oids, const std::stop_token& stop);
  Result<Answer> ask_next(const std::vector<Column*>& columns, const std::stop_token& stop);
  /// Begins a call, and whether there is time for another request in it.
  void begin() { until_ = std::chrono::steady_clock::now() + kLongest; }
  Status in_time() const;
  /// Fewer objects at once; false where one is too many already.
  bool ask_for_less();

  Session session_;
  std::size_t most_;
  std::chrono::steady_clock::time_point until_{};
};

}  // namespace tidegate::drivers::snmp
