// Random objects of every kind, made by walking the field lists: for round trips.
#pragma once

#include <random>

#include "discovery/model/fields.hpp"
#include "discovery/model/time.hpp"

namespace signpost::model {

class RandomObject {
public:
  explicit RandomObject(unsigned seed) : random_(seed) {}

  template <class T>
  T make() {
    T value{};
    fill(value);
    return value;
  }

  Object any() {
    switch (below(std::variant_size_v<Object>)) {
    case 0: return make<Namespace>();
    case 1: return make<Service>();
    case 2: return make<EndpointSlice>();
    case 3: return make<Endpoints>();
    case 4: return make<ServiceCidr>();
    case 5: return make<IpAddress>();
    case 6: return make<Lease>();
    case 7: return make<Event>();
    case 8: return make<GroupEvent>();
    case 9: return make<Pod>();
    default: return make<Node>();
    }
  }

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

private:
  void fill(std::string& out) {
    static constexpr std::string_view pieces[] = {"web", "-",    "10.0.0.1", "\"",   "\\", "\n",  "ü", "日本", "😀",
                                                  "\t",  "\x01", "true",     "0x1f", " ",  "a/b", "#", ": ",   "<&>"};
    for (auto i = below(4); i-- > 0;) out += pieces[below(std::size(pieces))];
  }
  void fill(bool& out) { out = below(2) == 1; }
  void fill(std::int32_t& out) {
    static constexpr std::int32_t values[] = {0, 1, 80, 65535, -1, INT32_MAX, INT32_MIN};
    out = values[below(std::size(values))];
  }
  void fill(std::int64_t& out) {
    static constexpr std::int64_t values[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 53};
    out = values[below(std::size(values))];
  }
  void fill(IntOrString& out) {
    if (below(2) == 0) {
      fill(out.value.emplace<std::int32_t>());
    } else {
      fill(out.value.emplace<std::string>());
    }
  }
  void fill(std::map<std::string, std::string>& out) {
    for (auto i = below(3); i-- > 0;) {
      std::string key;
      fill(key);
      fill(out[key]);
    }
  }
  template <class T>
  void fill(std::optional<T>& out) {
    if (below(2) == 0) fill(out.emplace());
  }
  template <class T>
  void fill(std::vector<T>& out) {
    for (auto i = below(3); i-- > 0;) fill(out.emplace_back());
  }
  template <Structure T>
  void fill(T& out) {
    std::apply([&](const auto&... fields) { (fill_field(out, fields), ...); }, Schema<T>::fields);
  }
  template <class Owner, class Member>
  void fill_field(Owner& owner, const Field<Owner, Member>& field) {
    if (below(3) == 0) return;
    if constexpr (std::is_same_v<Member, std::string>) {
      const auto seconds = static_cast<std::int64_t>(below(4000000000)) + 1;
      if (field.form != Form::plain) {
        owner.*field.member = field.form == Form::time
                                  ? time_text(seconds)
                                  : micro_time_text(seconds, static_cast<std::int32_t>(below(1'000'000)));
        return;
      }
    }
    fill(owner.*field.member);
  }

  std::mt19937 random_;
};

} // namespace signpost::model
