#include <algorithm>

#include "discovery/model/document.hpp"

namespace signpost::model {

namespace {
constexpr std::size_t max_notes = 100;
constexpr std::size_t max_duplicates = 10'000; // that are looked at: the same may come again and again
constexpr std::size_t longest_noted = 256;     // octets of a key
}

Json* DocumentBuilder::place(Json value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return &root_;
  }
  auto& level = open_.back();
  if (level.slot != nullptr) {
    *level.slot = std::move(value);
    return level.slot;
  }
  auto& array = *level.container->get_ptr<Json::array_t*>();
  return &array.emplace_back(std::move(value));
}

bool DocumentBuilder::open(Json container) {
  if (open_.size() >= max_depth_) {
    too_deep_ = true;
    return false;
  }
  open_.push_back({place(std::move(container)), nullptr, {}});
  return true;
}

bool DocumentBuilder::close() {
  open_.pop_back();
  return true;
}

bool DocumentBuilder::key(string_t& name) {
  auto& level = open_.back();
  auto& object = *level.container->get_ptr<Json::object_t*>();
  auto const [member, fresh] = object.try_emplace(name);
  if (!fresh) note_duplicate(name);
  level.slot = &member->second;
  if (notes_ != nullptr) level.key = name.substr(0, longest_noted); // it may be in the path of many notes
  return true;
}

void DocumentBuilder::note_duplicate(const std::string& name) {
  if (notes_ == nullptr || notes_->duplicate_fields.size() >= max_notes || ++duplicates_ > max_duplicates) return;
  std::string path;
  for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
    if (open_[i].container->is_array()) {
      path += '[' + std::to_string(open_[i].container->size() - 1) + ']';
    } else {
      path += (path.empty() ? "" : ".") + open_[i].key;
    }
  }
  auto note = "duplicate field \"" + path + (path.empty() ? "" : ".") + name.substr(0, longest_noted) + '"';
  auto& notes = notes_->duplicate_fields;
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

Json DocumentBuilder::take() {
  open_.clear();
  return std::exchange(root_, Json());
}

tl::expected<Json, DecodeError> parse_json(std::string_view text, DecodeNotes* notes, const JsonLimits& limits) {
  DocumentBuilder builder(limits.depth, notes);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  } catch (const std::exception& error) { // out of memory
    return tl::unexpected(DecodeError{error.what()});
  }
  return tl::unexpected(DecodeError{syntax_error(text, limits.depth).message});
}

std::string_view text_member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                   : std::string_view();
}

} // namespace signpost::model
