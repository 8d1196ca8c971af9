#include "discovery/api/pages.hpp"

namespace signpost::api {

std::optional<Reply> page_reply(const Pages& pages, const Request& request) {
  std::string path;
  for (const std::string& segment : request.target.segments) path += "/" + segment;
  const auto found = pages.find(path);
  if (found == pages.end()) return std::nullopt;
  if (request.method != Method::get && request.method != Method::head)
    return text_reply(405, "405 method not allowed\n");
  PageText text = found->second.text();
  Reply reply = text_reply(text.status, std::move(text.body));
  reply.content_type = found->second.content_type;
  return reply;
}

void PageResponder::handle(std::shared_ptr<const Request> request, ReplyCallback done) {
  auto reply = page_reply(pages_, *request);
  done(reply ? std::move(*reply) : text_reply(404, "404 page not found\n"));
}

} // namespace signpost::api
