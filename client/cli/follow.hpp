// Follows a kind of object for ever: list, watch, and again from where it was when the connection is lost.
//
// The idea: what was last seen of every object is kept, so that after a gap (the server compacted the history, or was
// restarted) a new list turns into exactly the changes that were missed. Not thread-safe.
#pragma once

#include <functional>
#include <string_view>

#include "client/cli/api.hpp"

namespace signpost::cli {

struct Change {
  std::string_view type;       // ADDED, MODIFIED, DELETED
  const Json* item = nullptr;  // the object, or the row of a Table
  const Json* table = nullptr; // the Table that the row came in, with all its rows; or the list
};

/// Calls `change` for all objects there are (ADDED), then for each change; returns when it returns false. `notice` gets
/// sentences about lost connections, once for each loss. Fails where going on makes no sense: the first list fails, or
/// the server refuses the request.
[[nodiscard]] Expected<void> follow(Api& api, const model::KindInfo& kind, const Scope& scope, Form form,
                                    const std::function<bool(const Change&)>& change,
                                    const std::function<void(const std::string&)>& notice);

} // namespace signpost::cli
