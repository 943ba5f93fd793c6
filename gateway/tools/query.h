#pragma once

#include <string>
#include <vector>

#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::tools {

struct QueryOptions {
  std::vector<std::string> patterns;
  std::string from = "-1h", to;
  std::string resolution;  ///< empty: the samples themselves
  Format format = Format::table;
};
Result<int> query(const QueryOptions& options, const Surroundings& surroundings);

struct SqlOptions {
  std::string statement;
  Format format = Format::table;
};
Result<int> sql(const SqlOptions& options, const Surroundings& surroundings);

struct ExportOptions {
  std::vector<std::string> patterns;
  std::string from, to;
  Format format = Format::csv;
};
Result<int> export_samples(const ExportOptions& options, const Surroundings& surroundings);

}  // namespace tidegate::tools
