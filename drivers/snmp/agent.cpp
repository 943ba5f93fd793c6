#include "drivers/snmp/agent.h"

#include <algorithm>

namespace tidegate::drivers::snmp {
namespace {

tl::unexpected<Error> refused_with(int error) {
  constexpr int kAuthorizationError = 16;  // RFC 3416
  return fail(Errc::corrupt, "the agent refuses: {}{}", error_in_words(error),
              error == kAuthorizationError ? "; a user of version 3 may need auth, or privacy too" : "");
}

}  // namespace

bool Agent::ask_for_less() {
  if (most_ <= 1) return false;
  most_ /= 2;
  return true;
}

Status Agent::in_time() const {
  if (std::chrono::steady_clock::now() < until_) return {};
  return fail(Errc::timed_out, "the agent is too slow: its answers take more than {} s", kLongest.count());
}

Result<std::vector<Varbind>> Agent::get(const std::vector<Oid>& oids, const std::stop_token& stop) {
  begin();
  std::vector<Varbind> all;
  for (std::size_t from = 0; from < oids.size();) {
    const std::size_t count = std::min(most_, oids.size() - from);
    auto some = get_some({oids.data() + from, count}, stop);
    if (!some && some.error().code == Errc::full && ask_for_less()) continue;
    if (!some) return fail(some.error());
    std::move(some->begin(), some->end(), std::back_inserter(all));
    from += count;
  }
  return all;
}

// Version 1 names one object that it lacks and says nothing of the others: they are asked for again without it.
Result<std::vector<Varbind>> Agent::get_some(std::span<const Oid> oids, const std::stop_token& stop) {
  std::vector<Varbind> all(oids.size());
  std::vector<std::size_t> asked;  // the places of those that are asked for
  for (std::size_t i = 0; i < oids.size(); ++i) {
    all[i].oid = oids[i];
    all[i].text = "the agent says nothing of it";
    asked.push_back(i);
  }
  while (!asked.empty()) {
    std::vector<Oid> wanted;
    for (const std::size_t place : asked) wanted.push_back(oids[place]);
    if (Status time = in_time(); !time) return fail(time.error());
    auto answer = session_.get(wanted, stop);
    if (!answer) return fail(answer.error());
    if (answer->error == kTooBig) return fail(Errc::full, "the agent's answer is too big even for one object");
    if (answer->error == 0) {
      for (Varbind& varbind : answer->varbinds) {
        const auto place = std::find_if(asked.begin(), asked.end(), [&](auto i) { return oids[i] == varbind.oid; });
        if (place == asked.end()) continue;
        all[*place] = std::move(varbind);
        asked.erase(place);  // the next answer of this object is another point's
      }
      return all;
    }
    if (answer->at == 0 || answer->at > asked.size()) {
      return refused_with(answer->error);
    }
    const auto refused = asked.begin() + static_cast<std::ptrdiff_t>(answer->at - 1);
    all[*refused].text = answer->error == kNoSuchName ? "the agent has no such object" : error_in_words(answer->error);
    asked.erase(refused);
  }
  return all;
}

struct Agent::Column {
  std::size_t number;
  Oid root, at;  ///< the column, and how far it was walked
  bool ended = false;
};

// For some columns at once, as many rows as fit into an answer.
Result<Answer> Agent::ask_next(const std::vector<Column*>& columns, const std::stop_token& stop) {
  std::vector<Oid> from;
  for (const Column* column : columns) from.push_back(column->at);
  const int repetitions = static_cast<int>(std::max<std::size_t>(most_ / from.size(), 1));
  return session_.next(from, repetitions, stop);
}

namespace {

template <class Column>
void take(Column& column, Varbind& varbind, std::size_t columns, Walked& walked) {
  if (column.ended) return;
  const bool beyond = !varbind.oid.begins_with(column.root) || varbind.type == Varbind::Type::nothing;
  const bool backwards = varbind.oid <= column.at;
  if (!beyond && backwards) walked.trouble = "the agent's table runs backwards at " + varbind.oid.text();
  column.ended = beyond || backwards;
  if (column.ended) return;
  column.at = varbind.oid;
  auto& row = walked.rows[varbind.oid.behind(column.root)];
  row.resize(columns);
  row[column.number] = std::move(varbind);
}

}  // namespace

Result<Walked> Agent::walk(const std::vector<Oid>& columns, std::size_t most_rows, const std::stop_token& stop) {
  begin();
  Walked walked;
  std::vector<Column> all;
  for (std::size_t i = 0; i < columns.size(); ++i) all.push_back({i, columns[i], columns[i]});
  while (true) {
    std::vector<Column*> active;
    for (Column& column : all) {
      if (!column.ended && active.size() < most_) active.push_back(&column);
    }
    if (active.empty()) return walked;
    if (Status time = in_time(); !time) return fail(time.error());
    auto answer = ask_next(active, stop);
    if (!answer) return fail(answer.error());
    if (answer->error == kTooBig && ask_for_less()) continue;
    if (answer->error == kNoSuchName && answer->at >= 1 && answer->at <= active.size()) {
      active[answer->at - 1]->ended = true;  // version 1: there is nothing behind it
      continue;
    }
    if (answer->error != 0) return refused_with(answer->error);
    if (answer->varbinds.empty()) return fail(Errc::corrupt, "the agent's answer is empty");
    for (std::size_t i = 0; i < answer->varbinds.size(); ++i) {
      take(*active[i % active.size()], answer->varbinds[i], columns.size(), walked);
    }
    if (walked.rows.size() > most_rows) {
      walked.trouble = fmt::format("the table has more than {} rows: see max_rows", most_rows);
      walked.rows.erase(std::next(walked.rows.begin(), static_cast<std::ptrdiff_t>(most_rows)), walked.rows.end());
      return walked;
    }
  }
}

}  // namespace tidegate::drivers::snmp
