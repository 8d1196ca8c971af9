#include "discovery/api/object_summary.hpp"

#include <nlohmann/json.hpp>
#include <vector>

namespace signpost::api {
namespace {

using Json = nlohmann::json;

/// Follows the path of keys; objects only, as nothing of interest is inside an array.
class Reader final : public nlohmann::json_sax<Json> {
public:
  Reader(ObjectSummary& summary, bool whole) : summary_(summary), whole_(whole) {}

  bool null() override { return true; }
  bool boolean(bool value) override {
    take_field(value ? "true" : "false");
    return true;
  }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool string(string_t& value) override {
    if (arrays_ != 0) return true;
    if (depth_ == 3 && section_ == "metadata" && field_ == "labels")
      summary_.labels[key_] = std::move(value);
    else if (depth_ == 2 && section_ == "metadata")
      take_metadata(value);
    else
      take_field(std::move(value));
    return true;
  }

  bool key(string_t& value) override {
    if (arrays_ != 0) return true;
    key_ = std::move(value);
    return true;
  }

  bool start_object(std::size_t) override {
    if (arrays_ != 0) return true;
    ++depth_;
    if (depth_ == 2) section_ = key_;
    if (depth_ == 3) field_ = key_;
    return true;
  }

  bool end_object() override {
    if (arrays_ != 0) return true;
    --depth_;
    return whole_ || depth_ != 1 || section_ != "metadata"; // behind metadata there is nothing more to read
  }

  bool start_array(std::size_t) override {
    ++arrays_;
    return true;
  }
  bool end_array() override {
    --arrays_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
  void take_field(std::string value) {
    if (!whole_ || arrays_ != 0 || depth_ > 2) return;
    summary_.fields[depth_ == 1 ? key_ : section_ + "." + key_] = std::move(value);
  }
  void take_metadata(std::string& value) {
    if (key_ == "name")
      summary_.name = std::move(value);
    else if (key_ == "namespace")
      summary_.name_space = std::move(value);
    else if (key_ == "uid")
      summary_.uid = std::move(value);
    else if (key_ == "deletionTimestamp")
      summary_.deleting = true;
  }

  ObjectSummary& summary_;
  const bool whole_;
  int depth_ = 0;
  int arrays_ = 0;
  std::string section_, field_, key_;
};

ObjectSummary read(std::string_view json, bool whole) {
  ObjectSummary summary;
  Reader reader(summary, whole);
  Json::sax_parse(json.begin(), json.end(), &reader, nlohmann::detail::input_format_t::json, false);
  return summary;
}

} // namespace

ObjectSummary read_summary(std::string_view json) { return read(json, false); }
ObjectSummary read_whole_summary(std::string_view json) { return read(json, true); }

} // namespace signpost::api
