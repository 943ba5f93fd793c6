#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/live.h"
#include "gateway/tools/output.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/rows.h"

namespace tidegate::tools {
namespace {

/// One look: how many samples of each series there have been, and when that was.
struct Counts {
  Json by_series;
  Timestamp time;
};

struct Busy {
  std::string series;
  double rate;  ///< samples a second
};

Result<Counts> look(const GatewayClient& gateway) {
  auto answer = gateway.get("/api/v1/series/counts");
  if (!answer) return fail(std::move(answer.error()));
  return Counts{std::move(answer->at("counts")), time_of(answer->at("time"))};
}

/// Those with samples in between, the busiest first. A gateway that has started again begins to count again.
std::vector<Busy> busiest(const Counts& before, const Counts& after, std::size_t limit) {
  const double seconds = std::chrono::duration<double>(after.time - before.time).count();
  std::vector<Busy> all;
  for (const auto& [series, count] : after.by_series.items()) {
    const auto since = before.by_series.find(series);
    const double more = count.get<double>() - (since != before.by_series.end() ? since->get<double>() : 0);
    if (more > 0 && seconds > 0) all.push_back({series, more / seconds});
  }
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Busy& a, const Busy& b) {
    return a.rate != b.rate ? a.rate > b.rate : a.series < b.series;
  });
  all.erase(end, all.end());
  return all;
}

std::string head(const Json& state) {
  const Json& store = state.at("store");
  std::string text = fmt::format(
      "{}: {} samples/s, commit {} ms (99 %: {} ms), queue {} of {}\n",
      printable(state.at("gateway").at("name").get<std::string>()), short_number(store.at("rate").get<double>()),
      short_number(store.at("commit_p50_ms").get<double>()), short_number(store.at("commit_p99_ms").get<double>()),
      store.at("queue_depth").get<std::uint64_t>(), store.at("queue_capacity").get<std::uint64_t>());
  for (const Json& uplink : state.at("uplinks")) {
    text += fmt::format("uplink {}: {} samples/s, {} behind\n", printable(uplink.at("name").get<std::string>()),
                        short_number(uplink.at("rate").get<double>()),
                        counted(uplink.at("backlog_batches").get<std::uint64_t>(), "batch", "batches"));
  }
  return text;
}

Status put_rows(const std::vector<Busy>& rows_of, Output& output) {
  static constexpr std::array<std::string_view, 2> kColumns = {"samples/s", "series"};
  const auto rows = Rows::make(Format::table, output);
  if (Status status = rows->columns(kColumns); !status) return status;
  for (const Busy& busy : rows_of) {
    const std::string rate = short_number(busy.rate);
    const std::array<Value, 2> cells = {std::string_view(rate), std::string_view(busy.series)};
    if (Status status = rows->row(cells); !status) return status;
  }
  return rows->end();
}

std::string as_json(const std::vector<Busy>& busy, const Json& state) {
  Json series = Json::array();
  for (const Busy& one : busy) series.push_back({{"series", one.series}, {"rate", one.rate}});
  return text_of(Json{{"busiest", std::move(series)}, {"store", state.at("store")}, {"uplinks", state.at("uplinks")}}) +
         '\n';
}

/// Lines of the screen, or an ordinary one's where this is none.
std::size_t screen_lines() {
  constexpr std::size_t kOrdinary = 24;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kOrdinary;
}

/// So many rows that the head and the columns' names fit above them.
std::size_t rows_for(const TopOptions& options, const Json& state) {
  if (options.limit > 0) return options.limit;
  const std::size_t above = 3 + state.at("uplinks").size(), lines = screen_lines();
  return lines > above ? lines - above : 1;
}

Status show(const TopOptions& options, const Counts& before, const Counts& after, const Json& state) {
  constexpr const char* kFromTheTop = "\x1b[H\x1b[J";
  Output output;
  const std::vector<Busy> busy = busiest(before, after, rows_for(options, state));
  Status status;
  if (options.json) {
    status = output.write(as_json(busy, state));
  } else {
    const bool again = !options.once && ::isatty(STDOUT_FILENO) != 0;
    status = output.write((again ? kFromTheTop : "") + head(state));
    if (status) status = put_rows(busy, output);
  }
  return status ? output.flush() : status;
}

}  // namespace

Result<int> top(const TopOptions& options, const GatewayClient& gateway, const Surroundings& surroundings) {
  const auto every = parse_duration(options.every);
  if (!every || *every < std::chrono::milliseconds(200) || *every > std::chrono::hours(1)) {
    return fail(Errc::invalid, "--every {}: is no duration from 200ms to 1h", printable(options.every));
  }
  auto before = look(gateway);
  if (!before) return fail(std::move(before.error()));
  while (sleep_for(*every, surroundings.stop)) {
    auto after = look(gateway);
    if (!after) return fail(std::move(after.error()));
    const auto state = gateway.get("/api/v1/state");
    if (!state) return fail(state.error());
    if (Status shown = show(options, *before, *after, *state); !shown) return fail(std::move(shown.error()));
    if (options.once) return kDone;
    before = std::move(after);
  }
  return kInterrupted;
}

}  // namespace tidegate::tools
