#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "zone/index/epoch.hpp"

using namespace signpost::zone;

TEST_CASE("a grace period is over when every reader has been quiescent, gone offline, or ended") {
  CHECK(grace_over(begin_grace()));
  {
    ReaderThread reader;
    const Epoch first = begin_grace();
    CHECK(!grace_over(first));
    reader.quiescent();
    CHECK(grace_over(first));
    const Epoch second = begin_grace();
    CHECK(!grace_over(second));
    reader.offline();
    CHECK(grace_over(second));
    CHECK(grace_over(begin_grace()));
    reader.online();
    const Epoch third = begin_grace();
    CHECK(grace_over(second));
    CHECK(!grace_over(third));
  }
  CHECK(grace_over(begin_grace()));
}

TEST_CASE("what is retired is freed after the readers, not before") {
  ReaderThread reader;
  int freed = 0;
  retire([&] { ++freed; });
  retire([&] { ++freed; });
  CHECK(freed == 0);
  reader.quiescent();
  retire([&] { ++freed; });
  CHECK(freed == 2);
  reader.offline();
  synchronize();
  CHECK(freed == 3);
}

TEST_CASE("synchronize waits for a reader that holds something") {
  std::atomic<int*> shared{new int(1)};
  std::atomic<bool> stop{false};
  std::atomic<long> wrong{0}, reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] {
      ReaderThread reader;
      for (long n = 0; !stop.load(std::memory_order_relaxed); ++n) {
        for (int k = 0; k < 8; ++k) {
          if (*shared.load(std::memory_order_acquire) != 1) ++wrong;
        }
        ++reads;
        if (i == 0 && n % 16 == 0) {
          reader.offline();
          std::this_thread::yield();
          reader.online();
        } else {
          reader.quiescent();
        }
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    int* old = shared.exchange(new int(1), std::memory_order_acq_rel);
    if (i % 2 == 0) {
      synchronize();
      *old = 0;
      delete old;
    } else {
      retire([old] {
        *old = 0;
        delete old;
      });
    }
  }
  while (reads.load() < 100) std::this_thread::yield();
  stop = true;
  for (auto& reader : readers) reader.join();
  synchronize();
  CHECK(wrong == 0);
  delete shared.load();
}
