// Numbers of every size and spelling in every query parameter: an answer, and no arithmetic that overflows (UBSan).
#include "tests/discovery/api/api_fixture.hpp"

using namespace signpost;
using test::Answer;
using test::ApiFixture;
using test::HttpClient;

TEST_CASE("numbers in queries are checked before they are used") {
  ApiFixture api;
  const std::string web = "/api/v1/namespaces/default/services/kubernetes";
  for (const char* name : {"limit", "resourceVersion", "timeoutSeconds", "gracePeriodSeconds", "continue",
                           "resourceVersionMatch", "sendInitialEvents", "dryRun", "orphanDependents"})
    for (const char* number :
         {"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
          "18446744073709551615", "18446744073709551616", "99999999999999999999999", "4294967296", "2147483648", "-1",
          "0", "1", "1e9", "0x10", "%2B5", "%205", ""})
      for (const std::string& target : {std::string("GET /api/v1/services"), "GET " + web, "DELETE " + web + "x"}) {
        const std::string request = target + '?' + name + '=' + number;
        CAPTURE(request);
        const std::size_t space = request.find(' ');
        const Answer answer = api.ask(request.substr(0, space), request.substr(space + 1));
        CHECK((answer.status == 200 || (answer.status >= 400 && answer.status < 500) || answer.status == 504));
      }
}
