#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "gateway/core/result.h"

/// Small files in folders whose owner need not be trusted: root reads and writes them too.
namespace tidegate::reset {

/// Whose a file is to be. Who may not give it away keeps it.
struct Belongs {
  mode_t mode;
  uid_t user = static_cast<uid_t>(-1);  ///< the one who writes it
  gid_t group = static_cast<gid_t>(-1);
};
/// On disk when it returns, in one step: whoever reads it finds the one text or the other. Of an empty text no room is
/// taken but that of a name. Errc::full, Errc::io.
Status write_durably(const std::filesystem::path& file, std::string_view text, const Belongs& belongs);

/// Its first bytes, up to 4 KiB. Errc::io: it cannot be read, or is no file; a link is not followed, a pipe not waited
/// for.
Result<std::string> read_small(const std::filesystem::path& file);

}  // namespace tidegate::reset
