#include "gateway/app/driver_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "drivers/registry.h"
#include "gateway/core/text.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::app {
namespace {

int tell(const Result<int>& done) {
  if (done) return *done;
  fmt::print(stderr, "tidegate drivers: {}\n", done.error().text);
  return tools::kFailed;
}

Result<int> list_all(const DriverList& options) {
  static constexpr std::array<std::string_view, 2> kColumns = {"type", "reads"};
  tools::Output output;
  const auto rows = tools::Rows::make(options.json ? tools::Format::json : tools::Format::table, output);
  Status written = rows->columns(kColumns);
  for (const drivers::DriverType& type : drivers::types()) {
    const std::array<tools::Value, 2> cells = {std::string_view(type.name), std::string_view(type.doc)};
    if (written) written = rows->row(cells);
  }
  if (written) written = rows->end();
  return finish(written, output);
}

}  // namespace

int list_drivers(const DriverList& options) {
  if (options.type.empty()) return tell(list_all(options));
  const drivers::DriverType* type = drivers::find_type(options.type);
  if (type == nullptr) {
    std::vector<std::string> names;
    for (const drivers::DriverType& known : drivers::types()) names.push_back(known.name);
    fmt::print(stderr, "tidegate drivers: there is no '{}'{}; there are: {}\n", printable(options.type),
               did_you_mean(options.type, names), fmt::join(names, ", "));
    return tools::kUsage;
  }
  const std::string text = options.json ? config::json_schema(type->options, type->name) + "\n"
                                        : fmt::format(
                                              "{}: {}\n\nUnder `sources:`, beside name, enabled, max_series, labels, "
                                              "report and expected_interval:\n\n{}",
                                              type->name, type->doc, config::markdown(type->options));
  const Status printed = tools::print(text);
  return tell(printed ? Result<int>(tools::kDone) : fail(printed.error()));
}

}  // namespace tidegate::app
