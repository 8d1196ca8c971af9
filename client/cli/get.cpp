#include "client/cli/get.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/follow.hpp"
#include "client/cli/json_path.hpp"
#include "discovery/model/closest.hpp"

namespace signpost::cli {

namespace {

Failure unknown_kind(std::string_view word) {
  const auto names = kind_names();
  std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& kind : model::kinds()) known.push_back(kind.singular);
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string message = "there is no kind \"" + printable(word) + '"';
  if (const auto meant = model::closest(lower, known); !meant.empty())
    return {Exit::usage, message + "; did you mean " + std::string(meant) + "?"};
  message += "; the kinds are";
  std::string separator = " ";
  for (const auto& kind : model::kinds()) {
    (message += separator) += kind.plural;
    if (!kind.short_names.empty()) ((message += " (") += kind.short_names) += ')';
    separator = ", ";
  }
  return {Exit::usage, message};
}

Failure with_hint(Failure failure, const model::KindInfo& kind) {
  if (failure.code == Exit::not_found)
    failure.message +=
        "; list what there is with: signpost get " + std::string(kind.plural) + (kind.namespaced ? " -A" : "");
  return failure;
}

Scope scope_of(const Session& session, const GetOptions& options, const model::KindInfo& kind) {
  return {.name_space = kind.namespaced && !options.all_namespaces ? session.name_space : "",
          .label_selector = options.label_selector,
          .field_selector = options.field_selector};
}

// How to print, as -o says it.
struct Format {
  Output output = Output::table; // if neither of the others
  std::optional<JsonTemplate> text{};
  std::optional<CustomColumns> columns{};
  [[nodiscard]] bool table() const { return !text && !columns && (output == Output::table || output == Output::wide); }
};

Expected<Format> read_format(const std::string& word) {
  const auto equals = std::min(word.find('='), word.size());
  const auto name = word.substr(0, equals), argument = word.substr(std::min(equals + 1, word.size()));
  if (name == "jsonpath") {
    auto text = JsonTemplate::parse(argument);
    if (!text) return tl::make_unexpected(text.error());
    return Format{.text = std::move(*text)};
  }
  if (name == "custom-columns") {
    auto columns = CustomColumns::parse(argument);
    if (!columns) return tl::make_unexpected(columns.error());
    return Format{.columns = std::move(*columns)};
  }
  if (const auto output = output_named(word)) return Format{.output = *output};
  return fail(Exit::usage, std::string("-o takes ") + output_names);
}

// Stable, by the first value of a path; `document` gives what the path is looked up in.
template <class Document>
void sort_by(std::vector<Json>& items, const JsonPath& path, Document document) {
  std::ranges::stable_sort(items, [&](const Json& a, const Json& b) {
    const auto first = [&](const Json& item) -> const Json* {
      const auto values = path.find(document(item));
      return values.empty() ? nullptr : values[0];
    };
    return compare_values(first(a), first(b)) < 0;
  });
}

const Json& object_of_row(const Json& row) {
  static const Json none;
  const auto object = row.find("object");
  return object == row.end() ? none : *object;
}

// What was fetched of one kind: Tables or objects, according to the output.
struct Fetched {
  std::vector<Json> documents{};
  Exit worst = Exit::ok;
};

Fetched fetch(const Session& session, Api& api, const Selection& selection, const GetOptions& options, Form form) {
  Fetched out;
  const auto keep = [&](Expected<Json> reply) {
    if (reply) return out.documents.push_back(std::move(*reply));
    if (out.worst == Exit::ok) out.worst = reply.error().code;
    session.complain(with_hint(std::move(reply.error()), *selection.kind));
  };
  const auto name_space = selection.kind->namespaced ? session.name_space : std::string();
  if (selection.names.empty()) {
    auto scope = scope_of(session, options, *selection.kind);
    scope.whole_rows = form == Form::table && !options.sort_by.empty();
    keep(api.list(*selection.kind, scope, form));
  }
  for (const auto& name : selection.names) {
    keep(api.get(*selection.kind, name_space, name, form));
    if (out.worst == Exit::unavailable) break;
  }
  return out;
}

Columns columns_of(const GetOptions& options, const Format& format, const model::KindInfo& kind, bool mixed) {
  return {.wide = format.output == Output::wide,
          .name_space = options.all_namespaces && kind.namespaced,
          .labels = options.show_labels,
          .kind = mixed ? object_name(kind, "") : ""};
}

Exit print_tables(const Session& session, Api& api, const std::vector<Selection>& selections, const GetOptions& options,
                  const Format& format, const std::optional<JsonPath>& order) {
  Exit worst = Exit::ok;
  bool first = true;
  for (const auto& selection : selections) {
    auto fetched = fetch(session, api, selection, options, Form::table);
    if (worst == Exit::ok) worst = fetched.worst;
    auto columns = columns_of(options, format, *selection.kind, selections.size() > 1);
    std::vector<std::vector<std::string>> rows;
    for (auto& document : fetched.documents) {
      document = as_table(std::move(document));
      columns.learn(document);
      auto& found = document["rows"].get_ref<Json::array_t&>();
      if (order) sort_by(found, *order, object_of_row);
      for (const auto& row : found) rows.push_back(columns.row(row));
    }
    if (rows.empty()) {
      if (fetched.worst == Exit::ok && selections.size() == 1)
        session.err << (selection.kind->namespaced && !options.all_namespaces
                            ? "No " + std::string(selection.kind->plural) + " found in namespace " +
                                  printable(session.name_space) + ".\n"
                            : "No " + std::string(selection.kind->plural) + " found.\n");
      continue;
    }
    if (!first) session.out << '\n';
    first = false;
    TablePrinter table(session.out);
    for (const auto& row : rows) table.measure(row);
    if (!options.no_headers) table.print(columns.header);
    for (const auto& row : rows) table.print(row);
  }
  return worst;
}

Json with_type(Json object, const model::KindInfo& kind) {
  if (!object.contains("kind")) object["kind"] = kind.name;
  if (!object.contains("apiVersion")) object["apiVersion"] = kind.api_version();
  return object;
}

Exit print_objects(const Session& session, Api& api, const std::vector<Selection>& selections,
                   const GetOptions& options, const Format& format, const std::optional<JsonPath>& order) {
  Exit worst = Exit::ok;
  std::vector<Json> objects;
  const bool names = !format.text && !format.columns && format.output == Output::name;
  const bool single = selections.size() == 1 && selections[0].names.size() == 1;
  for (const auto& selection : selections) {
    auto fetched = fetch(session, api, selection, options, Form::objects);
    if (worst == Exit::ok) worst = fetched.worst;
    for (auto& document : fetched.documents) {
      const auto items = document.find("items");
      if (selection.names.empty() && items != document.end() && items->is_array())
        for (auto& item : *items) objects.push_back(with_type(std::move(item), *selection.kind));
      else
        objects.push_back(with_type(std::move(document), *selection.kind));
    }
    if (names && order) sort_by(objects, *order, [](const Json& object) -> const Json& { return object; });
    if (!names) continue;
    for (const auto& object : objects)
      session.out << object_name(*selection.kind, metadata_text(object, "name")) << '\n';
    objects.clear();
  }
  if (names || (worst != Exit::ok && objects.empty())) return worst;
  if (order) sort_by(objects, *order, [](const Json& object) -> const Json& { return object; });
  if (format.columns) {
    TablePrinter table(session.out);
    for (const auto& object : objects) table.measure(format.columns->row(object));
    if (!options.no_headers) table.print(format.columns->header);
    for (const auto& object : objects) table.print(format.columns->row(object));
    return worst;
  }
  Json whole =
      single && objects.size() == 1
          ? std::move(objects[0])
          : Json{{"apiVersion", "v1"}, {"kind", "List"}, {"metadata", {{"resourceVersion", ""}}}, {"items", objects}};
  if (format.text)
    session.out << format.text->fill(whole);
  else if (format.output == Output::json)
    print_json(session.out, whole);
  else
    print_yaml(session.out, whole);
  return worst;
}

Exit usage(const Session& session, std::string message) {
  session.complain({Exit::usage, std::move(message)});
  return Exit::usage;
}

// The first list is there as a whole, so that its columns can be as wide as they must.
void measure_rows(const Json& table, const Columns& columns, bool with_event, TablePrinter& printer) {
  const auto rows = table.find("rows");
  if (rows == table.end()) return;
  for (const auto& row : *rows) {
    auto texts = columns.row(row);
    if (with_event) texts.insert(texts.begin(), "MODIFIED");
    printer.measure(texts);
  }
}

// get -w and watch differ in the first column only.
Exit print_changes(const Session& session, const GetOptions& options, bool with_event) {
  const auto selections = read_selection(options.what);
  if (!selections) return usage(session, selections.error().message);
  if (selections->size() != 1 || (*selections)[0].names.size() > 1)
    return usage(session, "a watch follows one kind, or one object of it; start one for each");
  const auto& selection = (*selections)[0];
  const auto format = read_format(options.output);
  if (!format) return usage(session, format.error().message);
  if (!options.sort_by.empty()) return usage(session, "changes come in their own order; --sort-by is for lists");
  auto api = session.api();
  if (!api) return session.complain(api.error()), api.error().code;

  const bool table = format->table();
  auto columns = columns_of(options, *format, *selection.kind, false);
  TablePrinter printer(session.out);
  bool headed = options.no_headers, measured = false;
  std::size_t left = options.count;
  auto scope = scope_of(session, options, *selection.kind);
  if (!selection.names.empty()) scope.name = selection.names[0];

  const auto show = [&](const Change& change) {
    if (table) {
      columns.learn(*change.table);
      auto row = columns.row(*change.item);
      auto header = columns.header;
      if (with_event) {
        row.insert(row.begin(), std::string(change.type));
        header.insert(header.begin(), "EVENT");
        printer.measure({"MODIFIED"});
      }
      if (!measured) measure_rows(*change.table, columns, with_event, printer);
      measured = true;
      if (!headed) printer.print(header);
      headed = true;
      printer.print(row);
    } else {
      const Json object = with_type(*change.item, *selection.kind);
      if (format->columns) {
        auto row = format->columns->row(object);
        auto header = format->columns->header;
        if (with_event) {
          row.insert(row.begin(), std::string(change.type));
          header.insert(header.begin(), "EVENT");
        }
        printer.measure(row);
        if (!headed) printer.print(header);
        headed = true;
        printer.print(row);
      } else if (format->text) {
        if (with_event) session.out << change.type << ' ';
        session.out << format->text->fill(object) << '\n';
      } else if (format->output == Output::name) {
        if (with_event) session.out << change.type << ' ';
        session.out << object_name(*selection.kind, metadata_text(object, "name")) << '\n';
      } else {
        const Json document = with_event ? Json{{"type", change.type}, {"object", object}} : object;
        if (format->output == Output::yaml) {
          session.out << "---\n";
          print_yaml(session.out, document);
        } else {
          session.out << json_text(document, -1) << '\n';
        }
      }
    }
    session.out.flush();
    return session.out.good() && (left == 0 || --left > 0);
  };
  const auto notice = [&](const std::string& text) {
    session.err << "signpost: " << printable(text) << '\n' << std::flush;
  };
  const auto ended = follow(*api, *selection.kind, scope, table ? Form::table : Form::objects, show, notice);
  if (ended) return Exit::ok;
  session.complain(with_hint(ended.error(), *selection.kind));
  return ended.error().code;
}

} // namespace

Expected<std::vector<Selection>> read_selection(const std::vector<std::string>& words) {
  std::vector<Selection> out;
  if (words.empty()) return fail(Exit::usage, "say what: signpost get services, or signpost get svc web");
  if (words[0].find('/') != std::string::npos) {
    for (const auto& word : words) {
      const auto slash = word.find('/');
      if (slash == std::string::npos || slash + 1 == word.size())
        return fail(Exit::usage, "\"" + printable(word) + "\" is not KIND/NAME; write either KIND NAME… or KIND/NAME…");
      const auto* const kind = kind_named(word.substr(0, slash));
      if (kind == nullptr) return tl::make_unexpected(unknown_kind(word.substr(0, slash)));
      const auto same = std::ranges::find(out, kind, &Selection::kind);
      if (same != out.end())
        same->names.push_back(word.substr(slash + 1));
      else
        out.push_back({kind, {word.substr(slash + 1)}});
    }
    return out;
  }
  const std::vector<std::string> names(words.begin() + 1, words.end());
  for (std::string_view rest = words[0]; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto* const kind = kind_named(rest.substr(0, comma));
    if (kind == nullptr) return tl::make_unexpected(unknown_kind(rest.substr(0, comma)));
    out.push_back({kind, names});
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (out.empty()) return tl::make_unexpected(unknown_kind(words[0]));
  return out;
}

Exit get(const Session& session, const GetOptions& options) {
  if (options.watch) return print_changes(session, options, false);
  const auto selections = read_selection(options.what);
  if (!selections) return usage(session, selections.error().message);
  const auto format = read_format(options.output);
  if (!format) return usage(session, format.error().message);
  std::optional<JsonPath> order;
  if (!options.sort_by.empty()) {
    auto path = JsonPath::parse(options.sort_by);
    if (!path) return usage(session, "--sort-by: " + path.error().message);
    order = std::move(*path);
  }
  const bool named = !selections->front().names.empty();
  if (named && (options.all_namespaces || !options.label_selector.empty() || !options.field_selector.empty()))
    return usage(session, "a name and -A, -l or --field-selector exclude each other; say which namespace with -n");
  auto api = session.api();
  if (!api) return session.complain(api.error()), api.error().code;
  if (format->table()) return print_tables(session, *api, *selections, options, *format, order);
  return print_objects(session, *api, *selections, options, *format, order);
}

Exit watch(const Session& session, const GetOptions& options) { return print_changes(session, options, true); }

} // namespace signpost::cli
