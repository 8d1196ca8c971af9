// What a write is told although it is accepted: texts for Warning headers, as kube-apiserver 1.35 has them. Pure, any
// thread.
#pragma once

#include <string>
#include <vector>

#include "discovery/model/kind.hpp"

namespace signpost::registry {

/// Of an object as the client wrote it.
[[nodiscard]] std::vector<std::string> warnings_of(const model::Object& object);

} // namespace signpost::registry
