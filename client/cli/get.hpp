// get, describe, watch: shows objects of the registry, once or as they change.
#pragma once

#include "client/cli/command.hpp"
#include "client/cli/output.hpp"

namespace signpost::cli {

struct GetOptions {
  std::vector<std::string> what{}; // KIND[,KIND…] [NAME…], or KIND/NAME…
  bool all_namespaces = false;
  std::string label_selector{}, field_selector{};
  std::string output = "table"; // a name, jsonpath=TEMPLATE or custom-columns=HEADER:PATH,…
  std::string sort_by{};        // a path; lists only
  bool no_headers = false;
  bool show_labels = false;
  bool watch = false;
  std::size_t count = 0; // events after which a watch ends; 0: never
};

/// One kind and the names asked for; no names: all.
struct Selection {
  const model::KindInfo* kind = nullptr;
  std::vector<std::string> names{};
};
/// Reads "svc,ep", "svc web db", "svc/web ep/web". Errors: usage, with the kinds that there are.
[[nodiscard]] Expected<std::vector<Selection>> read_selection(const std::vector<std::string>& words);

[[nodiscard]] Exit get(const Session& session, const GetOptions& options);
[[nodiscard]] Exit describe(const Session& session, const GetOptions& options);
/// Prints each change with its kind of change first; goes on after the connection is lost.
[[nodiscard]] Exit watch(const Session& session, const GetOptions& options);

} // namespace signpost::cli
