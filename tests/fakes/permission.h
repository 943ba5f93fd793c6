#pragma once

#include "gateway/core/outlet.h"

namespace tidegate::fakes {

/// Of whoever may always.
inline Status granted() { return {}; }

/// Of what an interlock stops.
inline Status refused() { return fail(Errc::conflict, "its interlock says no"); }

}  // namespace tidegate::fakes
