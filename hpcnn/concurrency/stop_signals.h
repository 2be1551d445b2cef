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
#include <cerrno>
#include <ctime>
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
    // release: pairs with the acquire in Wait.
    quit_.store(true, std::memory_order_release);
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
  // Sent by the destructor, to its own thread; from elsewhere it is ignored.
  static constexpr int kQuit = SIGUSR2;
  // Nobody who pressed Ctrl-C waits longer than two seconds.
  static constexpr timespec kGrace{1, 500'000'000};

  void Wait() {
    for (;;) {
      const int first = first_.load(std::memory_order_relaxed);
      const int signal = first == 0 ? sigwaitinfo(&signals_, nullptr)
                                    : sigtimedwait(&signals_, nullptr, &kGrace);
      if (signal == kQuit) {
        if (quit_.load(std::memory_order_acquire)) return;
      } else if (signal > 0) {
        if (first != 0) _exit(128 + signal);
        // release: pairs with the acquire in exit_code.
        first_.store(signal, std::memory_order_release);
        source_.request_stop();
      } else if (first != 0 && errno == EAGAIN) {
        _exit(128 + first);
      }
    }
  }

  sigset_t signals_;
  sigset_t before_;
  std::stop_source source_;
  std::atomic<int> first_{0};  // 0: none yet
  std::atomic<bool> quit_{false};
  std::thread thread_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_STOP_SIGNALS_H_
