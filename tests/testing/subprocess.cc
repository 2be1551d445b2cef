// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/testing/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

[[noreturn]] void Exec(const std::string& path,
                       const std::vector<std::string>& arguments,
                       const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  if (const char* p = std::getenv("PATH")) {
    variables.push_back(std::string("PATH=") + p);
  }
  for (const auto& [name, value] : environment) {
    variables.push_back(name + "=" + value);
  }
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& a : arguments) {
    argv.push_back(const_cast<char*>(a.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& v : variables) {
    envp.push_back(const_cast<char*>(v.c_str()));
  }
  envp.push_back(nullptr);
  if (environment.count("UNPRIVILEGED") != 0 && geteuid() == 0) {
    constexpr uid_t kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(126);
  }
  execve(path.c_str(), argv.data(), envp.data());
  std::perror(path.c_str());
  _exit(127);
}

// Both ends of a terminal that changes nothing, the program's second.
std::array<int, 2> OpenTerminal() {
  const int ours = posix_openpt(O_RDWR | O_NOCTTY);
  if (ours < 0 || grantpt(ours) != 0 || unlockpt(ours) != 0) std::abort();
  const int its = open(ptsname(ours), O_RDWR | O_NOCTTY);
  termios settings{};
  if (its < 0 || tcgetattr(its, &settings) != 0) std::abort();
  cfmakeraw(&settings);
  if (tcsetattr(its, TCSANOW, &settings) != 0) std::abort();
  return {ours, its};
}

}  // namespace

std::string DataPath(const std::string& target) {
  const char* root = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (root == nullptr || workspace == nullptr) return target;
  return std::string(root) + "/" + workspace + "/" + target;
}

ProgramResult RunProgram(const std::string& path,
                         const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment,
                         const SignalPlan& plan) {
  using Clock = std::chrono::steady_clock;
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (pipe(out.data()) != 0) std::abort();
  if (environment.count("STDERR_IS_TERMINAL") != 0) {
    err = OpenTerminal();
  } else if (pipe(err.data()) != 0) {
    std::abort();
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) close(fd);
    Exec(path, arguments, environment);
  }
  close(out[1]);
  close(err[1]);

  ProgramResult result;
  bool sent = false;
  Clock::time_point sent_at;
  std::array<pollfd, 2> ends{{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends.data(), ends.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t n = read(ends[i].fd, buffer.data(), buffer.size());
      if (n <= 0) {
        close(ends[i].fd);
        ends[i].fd = -1;
      } else {
        (i == 0 ? result.out : result.err)
            .append(buffer.data(), static_cast<std::size_t>(n));
      }
    }
    if (plan.signal != 0 && !sent &&
        (result.out.find(plan.after) != std::string::npos ||
         result.err.find(plan.after) != std::string::npos)) {
      kill(child, plan.signal);
      sent = true;
      sent_at = Clock::now();
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (sent) {
    result.seconds_after_signal =
        std::chrono::duration<double>(Clock::now() - sent_at).count();
  }
  result.exit_code =
      WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}
