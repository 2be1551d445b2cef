// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// StopSignals: SIGINT and SIGTERM as a std::stop_token.
//
// Construct it in main before any other thread starts: it blocks the two
// signals for this thread and all that come after, and waits for them in a
// thread of its own, where asking for a stop is safe. The first signal requests
// the stop; a second one ends the program at once. POSIX only.

#ifndef HPCNN_CONCURRENCY_STOP_SIGNALS_H_
#define HPCNN_CONCURRENCY_STOP_SIGNALS_H_

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, kQuit);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    thread_ = std::thread([this] { Wait(); });
  }
  ~StopSignals() {
    pthread_kill(thread_.native_handle(), kQuit);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  // 0, or what a shell expects of a program that a signal ended: 128 + signal.
  int exit_code() const {
    // acquire: pairs with the release in Wait; set before the stop request.
    const int signal = first_.load(std::memory_order_acquire);
    return signal == 0 ? 0 : 128 + signal;
  }

 private:
  static constexpr int kQuit = SIGUSR2;  // sent by the destructor, to itself

  void Wait() {
    for (;;) {
      int signal = 0;
      if (sigwait(&signals_, &signal) != 0) continue;
      if (signal == kQuit) return;
      if (first_.load(std::memory_order_relaxed) != 0) _exit(128 + signal);
      first_.store(signal, std::memory_order_release);
      source_.request_stop();
    }
  }

  sigset_t signals_;
  sigset_t before_;
  std::stop_source source_;
  std::atomic<int> first_{0};
  std::thread thread_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_STOP_SIGNALS_H_
