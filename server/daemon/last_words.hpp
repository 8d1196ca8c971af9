// What the program says when it cannot go on: a sentence and exit status 1 where the system gives no thread or no
// memory, instead of an abort that tells nobody what to do.
#pragma once

namespace signpost::server {

/// From here on, for all threads.
void prepare_last_words();

} // namespace signpost::server
