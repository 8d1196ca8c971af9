// Prints the endpoints of a service.  usage: lookup_cpp NAME [PORT [PROTOCOL]]
#include <iostream>

#include <signpost/signpost.hpp>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: lookup_cpp NAME [PORT [PROTOCOL]]\n";
    return 2;
  }
  signpost::Client client; // SIGNPOST_DNS, else /etc/resolv.conf
  signpost::Query query{.name = argv[1]};
  if (argc > 2) query.port = argv[2];
  if (argc > 3) query.protocol = argv[3];

  const signpost::Result found = client.resolve(query);
  if (!found) {
    std::cerr << argv[1] << ": " << found.error.message() << '\n';
    return found.error == signpost::Errc::not_found ? 3 : 1;
  }
  for (const signpost::Endpoint& e : found.endpoints)
    std::cout << e.address.to_string() << ' ' << e.port << ' ' << e.target << '\n';
}
