// Who goes on where an answer ends in an alias: the one place that knows every server block of an address
// (server/listen/alias_chain.hpp). Forwarding hands such questions over and is asked again for single names.
//
// Threads: the forwarding thread that has the question.
#pragma once

#include <cstdint>

#include "server/forward/question_queue.hpp"

namespace signpost::server {

class Aliases {
public:
  virtual ~Aliases() = default;

  /// Answers a question (with its `aliases` set) from its beginning, now or later, through its reply_to.
  virtual void follow(Question question) const noexcept = 0;

  /// The same where what was found for the question's own name ends in an alias; `answer` is valid during the call.
  virtual void go_on(Question question, const AnswerView& answer, std::uint32_t age) const noexcept = 0;
};

} // namespace signpost::server
