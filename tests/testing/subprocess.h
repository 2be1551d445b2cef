// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Runs a program of ours as its user does, for tests of what it prints and how
// it exits.

#ifndef TESTS_TESTING_SUBPROCESS_H_
#define TESTS_TESTING_SUBPROCESS_H_

#include <map>
#include <string>
#include <vector>

struct ProgramResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
  double seconds_after_signal = 0;  // how long it took to end
};

struct SignalPlan {
  int signal = 0;
  // Send it as soon as stdout or stderr holds this text.
  std::string after;
};

// The path of `target` ("tools/train") among the test's data.
std::string DataPath(const std::string& target);

// `environment` is all that the program sees beside PATH. UNPRIVILEGED=1 in it
// runs the program as nobody when the test is root; STDERR_IS_TERMINAL=1 gives it
// a terminal for stderr.
ProgramResult RunProgram(
    const std::string& path, const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment = {},
    const SignalPlan& signal = {});

#endif  // TESTS_TESTING_SUBPROCESS_H_
