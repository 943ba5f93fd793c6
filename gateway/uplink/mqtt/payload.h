#pragma once

#include <string>

#include "gateway/core/event.h"
#include "gateway/uplink/uplink.h"

namespace tidegate::uplink::mqtt {

// The messages of docs/uplink-format.md, as JSON text. Never NaN or infinity, always valid UTF-8.

/// "gateway/epoch/seq", of a part "gateway/epoch/seq/first": the same for what is sent again.
std::string message_id(const Context& context, const Parcel& parcel);
/// The samples of one batch, by series.
std::string samples_json(const Context& context, const Parcel& parcel);
/// The announced alert transitions of one batch.
std::string alerts_json(const Context& context, const Parcel& parcel);
/// The snapshot of one batch, with its samples by series.
std::string snapshot_json(const Context& context, const Parcel& parcel);
/// Batches, or a part of one, that can no longer be sent.
std::string gap_json(const Context& context, Lane lane, const Parcel& parcel);

}  // namespace tidegate::uplink::mqtt
