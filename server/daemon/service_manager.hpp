// What the service manager that started us wants to know: systemd's notification protocol, sd_notify(3).
//
// Everything does nothing, at once, where no manager listens (NOTIFY_SOCKET is unset): on a terminal, in a container.
// Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace signpost::server::service_manager {

/// DNS and API serve what the source holds; `status` is the line that `systemctl status` shows. Also after reloading().
void ready(std::string_view status);
/// The configuration is read anew; ready() ends it, whatever came of it.
void reloading();
void stopping();

/// How often it wants to hear from us, half of WatchdogSec=; nullopt: it does not want to.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();
/// We go on. Who is silent for WatchdogSec= is ended and started again.
void alive();

} // namespace signpost::server::service_manager
