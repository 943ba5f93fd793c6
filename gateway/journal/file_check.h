#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>

#include "gateway/core/text.h"
#include "gateway/journal/check.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// What the checks of all kinds of files share: the connection, what was found, and a way to look that tells damage
/// from what cannot be looked at.
class FileCheck {
 public:
  FileCheck(sql::Connection& connection, std::filesystem::path file, const CheckReport& report)
      : connection_(connection), file_(std::move(file)), report_(report) {}

  sql::Connection& connection() { return connection_; }
  bool stopped() const { return report_.stop.stop_requested(); }

  void damage(std::string extent, std::string what, bool missing = false) {
    ++found_.damages;
    report_.damage({file_, std::move(extent), std::move(what), missing});
  }
  void count(std::uint64_t samples) {
    ++found_.parts;
    found_.samples += samples;
    report_.progress(found_.samples);
  }

  /// An error that is damage is told, and no error any more.
  Status told(const Error& error, std::string extent) {
    if (error.code != Errc::corrupt) return fail(error);
    damage(std::move(extent), error.text);
    return {};
  }

  /// One part after the other: what one finds damaged keeps none of the others from being looked at.
  template <class Check, std::size_t kParts>
  Result<Checked> run_all(Check& check, Status (Check::*const (&parts)[kParts])()) {
    for (const auto part : parts) {
      Status status = (check.*part)();
      if (!status) status = told(status.error(), "");
      if (!status) return fail(std::move(status.error()));
    }
    return found_;
  }

  /// SQLite's own check of every page and index.
  Status check_pages() {
    auto rows = connection_.prepare("PRAGMA integrity_check");
    if (!rows) return told(rows.error(), "");
    while (true) {
      const Result<bool> row = rows->step();
      if (!row) return told(row.error(), "");
      if (!*row) return {};
      for (const std::string_view line : split(rows->text(0), '\n')) {
        if (line != "ok" && !line.starts_with("***")) damage("", std::string(line));
      }
    }
  }

 private:
  sql::Connection& connection_;
  const std::filesystem::path file_;
  const CheckReport& report_;
  Checked found_;
};

inline tl::unexpected<Error> stopped_check() { return fail(Errc::stopped, "stopped before all was checked"); }

}  // namespace tidegate::journal
