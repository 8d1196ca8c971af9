// The body of a list, made while it is sent: JSON, YAML or protobuf.
//
// Threads: one at a time; the registry is read from it.
#pragma once

#include <memory>
#include <string>

#include "discovery/api/list.hpp"

namespace signpost::api {

/// What a list says about itself.
struct ListMeta {
  store::Revision revision;
  std::string token;         // where the next page begins; empty: there is none
  std::size_t remaining = 0; // objects from there on; 0: not known
};

/// In protobuf the objects are gone through twice: the first steps append nothing.
[[nodiscard]] std::unique_ptr<Stream> make_list_stream(ItemSource items, model::Kind kind, const Encoding& encoding,
                                                       IncludeObject include, const ListMeta& meta);

} // namespace signpost::api
