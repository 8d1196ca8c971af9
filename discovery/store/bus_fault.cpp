#include "discovery/store/bus_fault.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace signpost::store {
namespace {

std::atomic<unsigned> faults = 0;
static_assert(std::atomic<unsigned>::is_always_lock_free);
std::uintptr_t page_size = 4096;

// Only calls that are safe in a handler. What is no missing page of a file gets the default: the end, with a core.
void on_bus_fault(int signal, siginfo_t* info, void*) {
  const int kept = errno;
  if (info->si_code == BUS_ADRERR) {
    void* const page = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(info->si_addr) & ~(page_size - 1));
    if (::mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      ++faults;
      errno = kept;
      return;
    }
  }
  std::signal(signal, SIG_DFL); // met again on return
}

} // namespace

void survive_bus_faults() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_fault;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, nullptr);
  });
}

unsigned bus_faults() { return faults; }

} // namespace signpost::store
