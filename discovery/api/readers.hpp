// The thread on which the database is read at length, for all connections in turn.
//
// Threads: post() from any; the rest from one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <thread>

namespace signpost::api {

class Readers {
public:
  Readers() : work_(io_.get_executor()) {}
  ~Readers() { stop(); }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  void start(); // throws std::system_error when there is no thread to be had
  /// Runs the task after those posted before. It must not throw.
  void post(std::function<void()> task);
  /// Ends behind the task that runs; the others are dropped.
  void stop();

private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

} // namespace signpost::api
