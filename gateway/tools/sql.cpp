#include "gateway/tools/query.h"
#include "gateway/tools/samples.h"

namespace tidegate::tools {

Result<int> sql(const SqlOptions& options, const Surroundings& surroundings) {
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  auto console = journal::Console::open(**view, surroundings.now, surroundings.stop);
  if (!console) return fail(std::move(console.error()));
  Output output;
  const auto rows = Rows::make(options.format, output);
  Status status = (*console)->run(options.statement, {[&](auto names) { return rows->columns(names); },
                                                      [&](auto cells) { return rows->row(cells); }});
  if (status) status = rows->end();
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  return verdict((*view)->reading());
}

}  // namespace tidegate::tools
