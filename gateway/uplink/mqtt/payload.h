#pragma once

#include <string>

#include "gateway/core/event.h"
#include "gateway/uplink/uplink.h"

namespace tidegate::uplink::mqtt {

// The messages of docs/uplink-format.md, as JSON text. Never NaN or infinity, always valid UTF-8.

/// "gateway/epoch/seq": the same for a batch that is sent again.
std::string message_id(const Context& context, Seq seq);
/// The samples of one batch, by series.
std::string samples_json(const Context& context, const Batch& batch);
/// The announced alert transitions of one batch.
std::string alerts_json(const Context& context, const Batch& batch);
/// Batches that can no longer be sent.
std::string gap_json(const Context& context, const Gap& gap);

}  // namespace tidegate::uplink::mqtt
