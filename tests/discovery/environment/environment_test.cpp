#include "discovery/environment/environment.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

using namespace signpost;
using environment::ExecLimits;
using environment::Format;
using environment::Generation;
using environment::Options;
using environment::Order;
using environment::Variable;

namespace {

model::ServicePort port(std::int32_t number, std::string name = "", std::string protocol = "TCP") {
  model::ServicePort port;
  port.name = std::move(name);
  port.protocol = std::move(protocol);
  port.port = number;
  return port;
}

model::Service service(std::string name, std::string ip, std::vector<model::ServicePort> ports,
                       std::string name_space = "shop") {
  model::Service object;
  object.metadata.name = std::move(name);
  object.metadata.name_space = std::move(name_space);
  object.spec.cluster_ip = std::move(ip);
  object.spec.ports = std::move(ports);
  return object;
}

std::vector<std::string> lines(const std::vector<Variable>& variables) {
  std::vector<std::string> out;
  for (const auto& [name, value] : variables) out.push_back(name + "=" + value);
  return out;
}

using Lines = std::vector<std::string>;

std::vector<std::string> hosts(const std::vector<model::Service>& services, const Options& options) {
  std::vector<std::string> out;
  for (const auto& line : lines(environment::variables(services, options))) {
    if (line.find("_SERVICE_HOST=") != std::string::npos) out.push_back(line);
  }
  return out;
}

Options in_shop() {
  Options options;
  options.name_space = "shop";
  return options;
}

} // namespace

// The kubelet's own table: several ports, UDP and SCTP, IPv6 as written, services without an address.
TEST_CASE("the variables of a service are the kubelet's") {
  CHECK(lines(environment::variables_of(service("foo-bar", "1.2.3.4", {port(8080, "", "TCP")}))) ==
        Lines{"FOO_BAR_SERVICE_HOST=1.2.3.4", "FOO_BAR_SERVICE_PORT=8080", "FOO_BAR_PORT=tcp://1.2.3.4:8080",
              "FOO_BAR_PORT_8080_TCP=tcp://1.2.3.4:8080", "FOO_BAR_PORT_8080_TCP_PROTO=tcp",
              "FOO_BAR_PORT_8080_TCP_PORT=8080", "FOO_BAR_PORT_8080_TCP_ADDR=1.2.3.4"});
  CHECK(lines(environment::variables_of(
            service("abc-123", "5.6.7.8", {port(8081, "u-d-p", "UDP"), port(8082, "t-c-p", "TCP")}))) ==
        Lines{"ABC_123_SERVICE_HOST=5.6.7.8", "ABC_123_SERVICE_PORT=8081", "ABC_123_SERVICE_PORT_U_D_P=8081",
              "ABC_123_SERVICE_PORT_T_C_P=8082", "ABC_123_PORT=udp://5.6.7.8:8081",
              "ABC_123_PORT_8081_UDP=udp://5.6.7.8:8081", "ABC_123_PORT_8081_UDP_PROTO=udp",
              "ABC_123_PORT_8081_UDP_PORT=8081", "ABC_123_PORT_8081_UDP_ADDR=5.6.7.8",
              "ABC_123_PORT_8082_TCP=tcp://5.6.7.8:8082", "ABC_123_PORT_8082_TCP_PROTO=tcp",
              "ABC_123_PORT_8082_TCP_PORT=8082", "ABC_123_PORT_8082_TCP_ADDR=5.6.7.8"});
  CHECK(lines(environment::variables_of(
                  service("q-u-u-x", "9.8.7.6", {port(8082, "t-c-p", "TCP"), port(8083, "8083", "TCP")})))
            .at(3) == "Q_U_U_X_SERVICE_PORT_8083=8083");
  CHECK(lines(environment::variables_of(service("svrc-v6", "2001:DB8::", {port(8084, "", "UDP")}))) ==
        Lines{"SVRC_V6_SERVICE_HOST=2001:DB8::", "SVRC_V6_SERVICE_PORT=8084", "SVRC_V6_PORT=udp://[2001:DB8::]:8084",
              "SVRC_V6_PORT_8084_UDP=udp://[2001:DB8::]:8084", "SVRC_V6_PORT_8084_UDP_PROTO=udp",
              "SVRC_V6_PORT_8084_UDP_PORT=8084", "SVRC_V6_PORT_8084_UDP_ADDR=2001:DB8::"});
  CHECK(lines(environment::variables_of(service("s", "1.2.3.4", {port(777, "", "SCTP")}))).at(2) ==
        "S_PORT=sctp://1.2.3.4:777");
  CHECK(lines(environment::variables_of(service("s", "1.2.3.4", {port(7, "", "")}))).at(3) ==
        "S_PORT_7_TCP=tcp://1.2.3.4:7");
  CHECK(lines(environment::variables_of(service("1kube.dot", "1.2.3.4", {port(7)}))).at(0) ==
        "1KUBE.DOT_SERVICE_HOST=1.2.3.4");
  CHECK(lines(environment::variables_of(service("s", "1.2.3.4", {}))) == Lines{"S_SERVICE_HOST=1.2.3.4"});
  CHECK(environment::variables_of(service("s", "None", {port(7)})).empty());
  CHECK(environment::variables_of(service("s", "", {port(7)})).empty());
  auto external = service("s", "1.2.3.4", {port(7)});
  external.spec.type = "ExternalName";
  CHECK(environment::variables_of(external).empty());
}

TEST_CASE("only the primary address of a dual-stack service is exported") {
  auto dual = service("web", "fd00::1", {port(80)});
  dual.spec.cluster_ips = {"fd00::1", "10.96.0.1"};
  for (const auto& line : lines(environment::variables_of(dual))) CHECK(line.find("10.96.0.1") == std::string::npos);
  dual.spec.cluster_ip.clear();
  CHECK(lines(environment::variables_of(dual)).at(0) == "WEB_SERVICE_HOST=fd00::1");
}

// The kubelet's table of who sees what.
TEST_CASE("a container sees its namespace and the master service") {
  std::vector<model::Service> const services{
      service("kubernetes", "1.2.3.1", {port(8081)}, "default"),
      service("test", "1.2.3.3", {port(8083)}, "test1"),
      service("kubernetes", "1.2.3.4", {port(8084)}, "test2"),
      service("test", "1.2.3.5", {port(8085)}, "test2"),
      service("test", "None", {port(8085)}, "test2"),
      service("test", "", {port(8085)}, "test2"),
      service("not-special", "1.2.3.8", {port(8088)}, "default"),
      service("not-special", "None", {port(8088)}, "default"),
  };
  struct Row {
    const char* name_space;
    bool links;
    Lines expected;
  };
  for (const auto& [name_space, links, expected] : std::initializer_list<Row>{
           {"test1", true, {"KUBERNETES_SERVICE_HOST=1.2.3.1", "TEST_SERVICE_HOST=1.2.3.3"}},
           {"test1", false, {"KUBERNETES_SERVICE_HOST=1.2.3.1"}},
           {"test2", true, {"KUBERNETES_SERVICE_HOST=1.2.3.4", "TEST_SERVICE_HOST=1.2.3.5"}},
           {"test2", false, {"KUBERNETES_SERVICE_HOST=1.2.3.1"}},
           {"default", true, {"KUBERNETES_SERVICE_HOST=1.2.3.1", "NOT_SPECIAL_SERVICE_HOST=1.2.3.8"}},
           {"default", false, {"KUBERNETES_SERVICE_HOST=1.2.3.1"}},
           {"empty", true, {"KUBERNETES_SERVICE_HOST=1.2.3.1"}},
       }) {
    CAPTURE(name_space);
    CAPTURE(links);
    Options options;
    options.name_space = name_space;
    options.service_links = links;
    CHECK(hosts(services, options) == expected);
  }
  Options other_master;
  other_master.name_space = "test1";
  other_master.master_namespace = "test2";
  CHECK(hosts(services, other_master) == Lines{"TEST_SERVICE_HOST=1.2.3.3", "KUBERNETES_SERVICE_HOST=1.2.3.4"});
}

TEST_CASE("an own kubernetes service replaces the master's, whichever comes first") {
  std::vector<model::Service> services{service("kubernetes", "1.1.1.1", {port(1)}, "shop"),
                                       service("kubernetes", "2.2.2.2", {port(1)}, "default")};
  CHECK(hosts(services, in_shop()) == Lines{"KUBERNETES_SERVICE_HOST=1.1.1.1"});
  std::swap(services[0], services[1]);
  CHECK(hosts(services, in_shop()) == Lines{"KUBERNETES_SERVICE_HOST=1.1.1.1"});
}

TEST_CASE("the order is that of the list, or of names") {
  std::vector<model::Service> const services{service("zoo", "1.0.0.1", {port(1)}),
                                             service("kubernetes", "1.0.0.2", {port(443)}, ""),
                                             service("api", "1.0.0.3", {port(1)})};
  auto options = in_shop();
  CHECK(hosts(services, options) ==
        Lines{"ZOO_SERVICE_HOST=1.0.0.1", "KUBERNETES_SERVICE_HOST=1.0.0.2", "API_SERVICE_HOST=1.0.0.3"});
  options.order = Order::name;
  CHECK(hosts(services, options) ==
        Lines{"API_SERVICE_HOST=1.0.0.3", "KUBERNETES_SERVICE_HOST=1.0.0.2", "ZOO_SERVICE_HOST=1.0.0.1"});
}

TEST_CASE("generation v0.6 knows one port, and kubernetes-ro") {
  std::vector<model::Service> const services{
      service("kubernetes", "1.0.0.1", {port(443, "https")}, "default"),
      service("kubernetes-ro", "1.0.0.2", {port(80)}, "default"),
      service("web", "1.0.0.3", {port(80, "http"), port(443, "https")}),
  };
  auto options = in_shop();
  options.generation = Generation::v0_6;
  CHECK(lines(environment::variables(services, options)) == Lines{"KUBERNETES_SERVICE_HOST=1.0.0.1",
                                                                  "KUBERNETES_SERVICE_PORT=443",
                                                                  "KUBERNETES_PORT=tcp://1.0.0.1:443",
                                                                  "KUBERNETES_PORT_443_TCP=tcp://1.0.0.1:443",
                                                                  "KUBERNETES_PORT_443_TCP_PROTO=tcp",
                                                                  "KUBERNETES_PORT_443_TCP_PORT=443",
                                                                  "KUBERNETES_PORT_443_TCP_ADDR=1.0.0.1",
                                                                  "KUBERNETES_RO_SERVICE_HOST=1.0.0.2",
                                                                  "KUBERNETES_RO_SERVICE_PORT=80",
                                                                  "KUBERNETES_RO_PORT=tcp://1.0.0.2:80",
                                                                  "KUBERNETES_RO_PORT_80_TCP=tcp://1.0.0.2:80",
                                                                  "KUBERNETES_RO_PORT_80_TCP_PROTO=tcp",
                                                                  "KUBERNETES_RO_PORT_80_TCP_PORT=80",
                                                                  "KUBERNETES_RO_PORT_80_TCP_ADDR=1.0.0.2",
                                                                  "WEB_SERVICE_HOST=1.0.0.3",
                                                                  "WEB_SERVICE_PORT=80",
                                                                  "WEB_PORT=tcp://1.0.0.3:80",
                                                                  "WEB_PORT_80_TCP=tcp://1.0.0.3:80",
                                                                  "WEB_PORT_80_TCP_PROTO=tcp",
                                                                  "WEB_PORT_80_TCP_PORT=80",
                                                                  "WEB_PORT_80_TCP_ADDR=1.0.0.3"});
  options.generation = Generation::current;
  CHECK(hosts(services, options) == Lines{"KUBERNETES_SERVICE_HOST=1.0.0.1", "WEB_SERVICE_HOST=1.0.0.3"});
  CHECK(environment::parse_generation("current") == Generation::current);
  CHECK(environment::parse_generation("v0.6") == Generation::v0_6);
  CHECK_FALSE(environment::parse_generation("v1"));
}

TEST_CASE("filters leave services and variables out") {
  std::vector<model::Service> const services{service("kubernetes", "1.0.0.1", {port(443, "https")}, "default"),
                                             service("web", "1.0.0.2", {port(80, "http")}),
                                             service("web-admin", "1.0.0.3", {port(80)})};
  auto options = in_shop();
  options.services = {"web*"};
  CHECK(hosts(services, options) == Lines{"WEB_SERVICE_HOST=1.0.0.2", "WEB_ADMIN_SERVICE_HOST=1.0.0.3"});
  options.services = {"w?b", "kube*"};
  CHECK(hosts(services, options) == Lines{"KUBERNETES_SERVICE_HOST=1.0.0.1", "WEB_SERVICE_HOST=1.0.0.2"});
  options.services = {"web"};
  options.docker_links = false;
  CHECK(lines(environment::variables(services, options)) ==
        Lines{"WEB_SERVICE_HOST=1.0.0.2", "WEB_SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80"});
  options.services.clear();
  options.prefixes = {"WEB_SERVICE_P", "KUBERNETES_SERVICE_HOST"};
  CHECK(lines(environment::variables(services, options)) ==
        Lines{"KUBERNETES_SERVICE_HOST=1.0.0.1", "WEB_SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80"});
}

TEST_CASE("own variables come first and win, and may refer to others") {
  std::vector<model::Service> const services{service("web", "1.0.0.2", {port(80)})};
  auto options = in_shop();
  options.docker_links = false;
  options.own = {{"A", "1"},
                 {"WEB_SERVICE_PORT", "8080"},
                 {"URL", "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/$(A)"},
                 {"LITERAL", "$$(A) $(NOBODY) $A $ $("},
                 {"LATER", "$(LAST)"},
                 {"LAST", "x"},
                 {"A", "2"}};
  CHECK(lines(environment::variables(services, options)) ==
        Lines{"A=2", "WEB_SERVICE_PORT=8080", "URL=http://1.0.0.2:8080/1", "LITERAL=$(A) $(NOBODY) $A $ $(",
              "LATER=$(LAST)", "LAST=x", "WEB_SERVICE_HOST=1.0.0.2"});
}

TEST_CASE("of two services that make one name the last wins") {
  std::vector<model::Service> const services{service("a-b", "1.0.0.1", {port(1)}),
                                             service("a_b", "1.0.0.2", {port(1)})};
  CHECK(hosts(services, in_shop()) == Lines{"A_B_SERVICE_HOST=1.0.0.2"});
}

TEST_CASE("own variables are read from NAME=VALUE") {
  CHECK(environment::parse_variable("A=b=c") == Variable{"A", "b=c"});
  CHECK(environment::parse_variable("A=") == Variable{"A", ""});
  CHECK(environment::parse_variable("A").error() == "\"A\" is not of the form NAME=VALUE");
  CHECK(environment::parse_variable("=b").error() == "\"=b\" has no name before the =");
  CHECK_FALSE(environment::parse_variable(std::string_view("A=b\0c", 5)));
}

TEST_CASE("each format says the same in its own way") {
  std::vector<Variable> const variables{{"A", "1"}, {"B", "it's $HOME `x`"}, {"1KUBE_SERVICE_HOST", "1.2.3.4"}};
  CHECK(environment::format(variables, Format::env) == "A=1\nB=it's $HOME `x`\n1KUBE_SERVICE_HOST=1.2.3.4\n");
  CHECK(environment::format(variables, Format::export_) ==
        "export A='1'\nexport B='it'\\''s $HOME `x`'\n# 1KUBE_SERVICE_HOST: not a name that a shell can export\n");
  CHECK(environment::format(variables, Format::json) ==
        R"([{"name":"A","value":"1"},{"name":"B","value":"it's $HOME `x`"},)"
        R"({"name":"1KUBE_SERVICE_HOST","value":"1.2.3.4"}])"
        "\n");
  CHECK(environment::format(variables, Format::docker) == "A=1\nB=it's $HOME `x`\n1KUBE_SERVICE_HOST=1.2.3.4\n");
  CHECK(environment::format({}, Format::json) == "[]\n");
  CHECK(environment::format({}, Format::env) == "");
  std::vector<Variable> const several{{"A", "one\ntwo"}};
  CHECK(environment::format(several, Format::docker).error() ==
        "the value of A has several lines, which docker's env files cannot carry; use --format json");
  CHECK(environment::format(several, Format::env).error() ==
        "A has several lines, of which each would be a variable; use --format export or json");
  std::vector<Variable> const comment{{"#A", "x"}};
  CHECK_FALSE(environment::format(comment, Format::docker));
  for (const char* name : {"env", "export", "json", "docker"}) CHECK(environment::parse_format(name));
  CHECK_FALSE(environment::parse_format("yaml"));
}

TEST_CASE("a shell reads the export format back") {
  std::vector<Variable> const variables{{"SIGNPOST_TEST", "it's \"$HOME\" `x` \\ \n second !"}};
  auto const script = *environment::format(variables, Format::export_) + "printf %s \"$SIGNPOST_TEST\"";
  FILE* const pipe = popen(("sh -c '" +
                            [&] {
                              std::string quoted;
                              for (char c : script) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
                              return quoted;
                            }() +
                            "'")
                               .c_str(),
                           "r");
  REQUIRE(pipe != nullptr);
  char buffer[256];
  std::string const read(buffer, fread(buffer, 1, sizeof buffer, pipe));
  CHECK(pclose(pipe) == 0);
  CHECK(read == variables[0].value);
}

TEST_CASE("what the kernel would refuse is said before, with what helps") {
  ExecLimits const limits{.total = 10000, .string = 1000};
  std::vector<std::string> const arguments{"/bin/true"};
  std::vector<std::string> environment{"A=" + std::string(500, 'x')};
  CHECK(environment::check_exec_size(arguments, environment, limits));
  environment.push_back("LONG=" + std::string(995, 'x'));
  CHECK(environment::check_exec_size(arguments, environment, limits).error() ==
        "the variable LONG takes 1000 bytes, the kernel takes at most 999 for one; pass its value in a file");
  environment.back() = "LONG=" + std::string(994, 'x');
  CHECK(environment::check_exec_size(arguments, environment, limits));
  environment.assign(10, "A=" + std::string(900, 'x'));
  auto const refused = environment::check_exec_size(arguments, environment, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("10 variables and 1 arguments") != std::string::npos);
  CHECK(refused.error().find("--no-service-links") != std::string::npos);
  CHECK(refused.error().find("DNS") != std::string::npos);
  std::vector<std::string> const long_argument{std::string(1000, 'x')};
  CHECK_FALSE(environment::check_exec_size(long_argument, {}, limits));
}

// The kernel agrees: what passes the check starts, what is just beyond does not.
TEST_CASE("the limits are the kernel's") {
  auto const limits = environment::system_exec_limits();
  auto const starts = [](const std::vector<std::string>& environment) {
    std::vector<char*> pointers;
    for (const auto& text : environment) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    pid_t const child = fork();
    if (child == 0) {
      char path[] = "/bin/true";
      char* const arguments[] = {path, nullptr};
      execve(path, arguments, pointers.data());
      _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  };
  std::vector<std::string> const arguments{"/bin/true"};
  std::vector<std::string> one{"A=" + std::string(limits.string - 3, 'x')};
  CHECK(environment::check_exec_size(arguments, one));
  CHECK(starts(one));
  one[0] += 'x';
  CHECK_FALSE(environment::check_exec_size(arguments, one));
  CHECK_FALSE(starts(one));

  std::vector<std::string> many;
  while (environment::check_exec_size(arguments, many)) many.push_back("A=" + std::string(10000, 'x'));
  auto fitting = many;
  fitting.pop_back();
  CHECK(starts(fitting));
  many.push_back(many.back());
  CHECK_FALSE(starts(many));
}
