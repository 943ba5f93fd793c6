#pragma once

#include <filesystem>

#include "gateway/core/result.h"
#include "gateway/reset/wiper.h"

/// The box as it came: docs/decisions/0016. A power cut in the middle of it leaves nothing that looks as if it had not
/// been: it begins with a marker on disk, and while there is one, each start goes on with it before anything else is
/// opened. The storage folder comes first, for the configuration says where it is.
namespace tidegate::reset {

enum class Extent {
  storage,  ///< the storage folder alone
  all       ///< the configuration and its secrets too
};

/// Is this the storage folder of a gateway, and no more? `configuration` is tidegate.yaml. Errc::not_found: there is no
/// folder; Errc::invalid: it is another, or the configuration lies in it.
Status may_begin(const std::filesystem::path& store, const std::filesystem::path& configuration);
/// From here on it is to be done, whatever comes between. Nothing is wiped yet; a gateway that runs there sees it and
/// does it. What may_begin() says; Errc::conflict: it was begun before; Errc::io, Errc::full: the marker cannot be
/// written.
Status begin(const std::filesystem::path& store, const std::filesystem::path& configuration, Extent extent);
/// The storage folder is to be wiped, or is not wiped wholly yet.
bool begun(const std::filesystem::path& store);
/// It, or the configuration.
bool pending(const std::filesystem::path& store, const std::filesystem::path& configuration);

/// Does what is pending: wipes all that is in the storage folder; then, where that was to be, the configuration, of
/// which `configuration` is tidegate.yaml (finish_configuration()). Errc::conflict: another process has the storage
/// folder; Errc::stopped: a step said so, and it stays pending. Where something cannot be removed all else in its
/// folder is, the error says what, and it stays pending.
Result<Wiped> finish(const std::filesystem::path& store, const std::filesystem::path& configuration, const Step& step);

}  // namespace tidegate::reset
