#include <iostream>

#include "client/cli/command.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return signpost::cli::run({argv + 1, argv + argc}, std::cin, std::cout, std::cerr);
}
