// Looks many names up at once, in the order the answers come.  usage: many NAME…
#include <iostream>

#include <signpost/signpost.hpp>

int main(int argc, char** argv) {
  signpost::Client client;
  std::vector<std::future<void>> done;
  for (int i = 1; i < argc; ++i) {
    auto finished = std::make_shared<std::promise<void>>();
    done.push_back(finished->get_future());
    // Callbacks run one at a time, so that they may share std::cout.
    client.resolve_async({.name = argv[i]}, [finished, name = std::string(argv[i])](signpost::Result found) {
      std::cout << name << ':';
      if (!found) std::cout << ' ' << found.error.message();
      for (const auto& e : found.endpoints) std::cout << ' ' << e.address.to_string();
      std::cout << '\n';
      finished->set_value();
    });
  }
  for (auto& one : done) one.wait();
}
