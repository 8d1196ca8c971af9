// Members of a JSON object that nothing here looks into: of Pods and Nodes, what discovery has no use for. They are
// kept and given back as they came.
#pragma once

#include <map>
#include <string>

namespace signpost::model {

using OtherMembers = std::map<std::string, std::string>; // name -> compact JSON

} // namespace signpost::model
