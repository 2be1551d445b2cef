// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/stop_signals.h"

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

void AwaitStop(const StopSignals& signals) {
  while (!signals.token().stop_requested()) std::this_thread::yield();
}

TEST(StopSignalsTest, TheFirstSignalRequestsAStop) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const StopSignals signals;
    EXPECT_EQ(signals.exit_code(), 0);
    EXPECT_FALSE(signals.token().stop_requested());
    kill(getpid(), signal);
    AwaitStop(signals);
    EXPECT_EQ(signals.exit_code(), 128 + signal);
  }
}

TEST(StopSignalsTest, SomebodyElsesUsr2ChangesNothing) {
  const StopSignals signals;
  for (int i = 0; i < 3; ++i) kill(getpid(), SIGUSR2);
  kill(getpid(), SIGINT);
  AwaitStop(signals);
  EXPECT_EQ(signals.exit_code(), 128 + SIGINT);
}

// Exits with its own code only if the signals do not end it before.
template <class F>
int ExitCode(F body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StopSignalsTest, ASecondSignalEndsTheProgramAtOnce) {
  EXPECT_EQ(ExitCode([] {
              const StopSignals signals;
              kill(getpid(), SIGINT);
              AwaitStop(signals);
              kill(getpid(), SIGTERM);
              std::this_thread::sleep_for(std::chrono::seconds(60));
            }),
            128 + SIGTERM);
}

TEST(StopSignalsTest, AProgramThatDoesNotHeedTheStopIsEnded) {
  EXPECT_EQ(ExitCode([] {
              const StopSignals signals;
              kill(getpid(), SIGINT);
              std::this_thread::sleep_for(std::chrono::seconds(60));
            }),
            128 + SIGINT);
}

}  // namespace
}  // namespace hpcnn
